// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hilcop {

/// What differs between two sound boots of any board, and is masked before lines are compared: docs/boot-log.md lists it exactly.
/// Masks hold characters that a line's text never has, so no device can print one. Immutable.
class BootNoise {
 public:
  /// `patterns`: the board's own (boot_noise in its file); each masks what it matches. Throws as check_boot_noise.
  explicit BootNoise(std::vector<std::string> patterns = {});
  const std::vector<std::string>& patterns() const { return patterns_; }

  /// A line's text with noise masked and runs of blanks as one. Linear in the line's length.
  std::string normal(std::string_view text) const;

 private:
  std::vector<std::string> patterns_;
};

/// Throws Error{Config} when it is no pattern, or one that masks whole lines whatever they say: then no line would ever be new.
void check_boot_noise(const std::string& pattern);

/// A received line as text: printable ASCII, the rest as \x1b; terminal sequences (ECMA-48 CSI) and carriage returns left out.
std::string boot_text(std::string_view bytes);

}  // namespace hilcop
