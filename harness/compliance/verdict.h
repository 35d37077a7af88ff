// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string>

namespace hilcop {

/// Who may set which, and what each means: harness/compliance/docs/verdicts.md.
enum class Verdict { Pass, Fail, Inconclusive, NotApplicable, Attested, Error, NotRun };

std::string to_string(Verdict verdict);
std::optional<Verdict> verdict_from_string(std::string_view name);

/// The worst, in the order Fail > Error > Inconclusive > NotRun > Attested > Pass; NotApplicable only where all are.
/// Nothing at all is NotRun: what did not run cannot pass.
Verdict worst(std::span<const Verdict> verdicts);

/// Exit status of a run: 0 nothing but Pass, Attested and NotApplicable (and at least one Pass or Attested), 1 a Fail,
/// 3 anything that was not judged or a bench error. (2 is usage and configuration.)
int exit_status(std::span<const Verdict> verdicts);

}  // namespace hilcop
