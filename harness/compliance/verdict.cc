// SPDX-License-Identifier: Apache-2.0
#include "compliance/verdict.h"

#include <algorithm>
#include <array>

namespace hilcop {
namespace {

struct Rank {
  Verdict verdict;
  const char* name;
};

// Worst first. NotApplicable counts only where there is nothing else.
constexpr std::array<Rank, 7> kRanks{{{Verdict::Fail, "Fail"},
                                      {Verdict::Error, "Error"},
                                      {Verdict::Inconclusive, "Inconclusive"},
                                      {Verdict::NotRun, "NotRun"},
                                      {Verdict::Attested, "Attested"},
                                      {Verdict::Pass, "Pass"},
                                      {Verdict::NotApplicable, "NotApplicable"}}};

std::size_t rank(Verdict verdict) {
  return static_cast<std::size_t>(std::find_if(kRanks.begin(), kRanks.end(), [&](const Rank& r) { return r.verdict == verdict; }) -
                                  kRanks.begin());
}

}  // namespace

std::string to_string(Verdict verdict) { return kRanks.at(rank(verdict)).name; }

std::optional<Verdict> verdict_from_string(std::string_view name) {
  for (const auto& entry : kRanks)
    if (name == entry.name) return entry.verdict;
  return std::nullopt;
}

Verdict worst(std::span<const Verdict> verdicts) {
  if (verdicts.empty()) return Verdict::NotRun;
  return *std::min_element(verdicts.begin(), verdicts.end(), [](Verdict a, Verdict b) { return rank(a) < rank(b); });
}

int exit_status(std::span<const Verdict> verdicts) {
  switch (worst(verdicts)) {
    case Verdict::Fail:
      return 1;
    case Verdict::Pass:
    case Verdict::Attested:
      return 0;
    default:
      return 3;  // a run in which nothing applied has judged nothing
  }
}

}  // namespace hilcop
