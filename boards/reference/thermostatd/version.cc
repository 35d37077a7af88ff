// SPDX-License-Identifier: Apache-2.0
#include "version.h"

#include <charconv>
#include <vector>

namespace ht1 {
namespace {

std::optional<std::vector<unsigned>> numbers(const std::string& version) {
  std::vector<unsigned> found;
  const char* at = version.data();
  const char* const end = at + version.size();
  while (found.size() < 4) {
    unsigned number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc{} || number > 65535) return std::nullopt;
    found.push_back(number);
    if (next == end) break;
    if (*next != '.') return std::nullopt;
    at = next + 1;
  }
  while (found.size() < 4) found.push_back(0);
  return version.size() > 23 ? std::nullopt : std::optional(found);
}

}  // namespace

std::optional<int> compare_versions(const std::string& one, const std::string& other) {
  const auto a = numbers(one), b = numbers(other);
  if (!a || !b) return std::nullopt;
  return *a < *b ? -1 : *a > *b ? 1 : 0;
}

bool is_version(const std::string& text) { return numbers(text).has_value(); }

}  // namespace ht1
