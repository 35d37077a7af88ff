// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "console/console.h"

namespace hilcop {

/// Throws Error{Config} with the reason and what to write instead when a pattern is no valid, bounded, non-empty pattern.
void check_pattern(const Pattern& pattern);

/// The regex with every unbounded repeat made bounded (4,096 of a character, 255 of a group). Throws as check_pattern.
std::string bounded_regex(const std::string& regex);

/// The regex with every `^` and `$` that is an anchor replaced.
std::string replace_anchors(std::string_view regex, std::string_view line_begin, std::string_view line_end);

/// A prompt that ends with `$` may be followed by what its line editor asks the terminal: busybox sends ESC[6n after each.
Pattern before_escapes(std::string regex);

struct Found {
  std::size_t begin = 0, end = 0;
  std::vector<std::string> groups;
};

/// A pattern ready to be searched for (PCRE2 with JIT, or memmem). Immutable; made once per pattern text and process.
class CompiledPattern {
 public:
  /// From the cache. Throws Error{Config}.
  static std::shared_ptr<const CompiledPattern> get(const Pattern& pattern);
  virtual ~CompiledPattern() = default;

  struct Search {
    bool found = false;
    Found match;
    /// Not found: nothing before this position can become part of a match whatever follows.
    std::size_t retry_from = 0;
  };
  /// Looks in `text` from `from`. `complete`: nothing more is coming for now, so a match may end at the end of the text
  /// (`$`, greedy repeats); otherwise such a match is waited for. Throws Error{Exhausted} when it takes too many steps.
  virtual Search search(std::string_view text, std::size_t from, bool complete) const = 0;
  /// Whether a `$` stands in it: what follows a text decides whether it matches.
  virtual bool has_dollar() const = 0;
};

}  // namespace hilcop
