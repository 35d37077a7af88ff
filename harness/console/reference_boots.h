// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "console/boot_learning.h"
#include "console/boot_log.h"

namespace hilcop {

/// What sound boots of a board say. Only boots without a doubt (BootLog::doubt) count; the others are left out, with the reason.
/// Immutable; cost of making it and of a comparison is that of sorting the lines.
class ReferenceBoots {
 public:
  /// The noise patterns are those of the first boot.
  explicit ReferenceBoots(std::span<const BootLog> boots);

  std::size_t boots() const { return boots_; }
  /// Different lines, noise masked.
  std::size_t lines() const { return lines_; }
  std::size_t learned() const { return learned_.size(); }
  const std::vector<std::string>& left_out() const { return left_out_; }

  struct New {
    std::size_t line;         // index into the boot's lines: the first of them
    std::size_t times = 0;    // in this boot
    bool more_often = false;  // the reference has it once a boot, at most
    std::string form;         // the same for the same line of another boot
  };
  /// Lines of the boot that no reference boot has, or has once only where this one repeats it. Only what came before the bench
  /// began to talk; of what came after the last stage, only what came in half the time that a reference boot was watched there. A
  /// line that was cut off is new only if none begins like it.
  std::vector<New> not_in(const BootLog& boot) const;
  /// How many lines of the boot not_in() looks at.
  std::size_t compared(const BootLog& boot) const;

  struct Missing {
    BootLine line;             // of a boot that has it
    std::size_t boot = 0;      // index of that boot in what was given
    std::size_t in_boots = 0;  // reference boots that have it
    bool less_often = false;   // it is there once, and every reference boot repeats it
    std::string form;
  };
  /// Lines that every reference boot has before its last stage and this boot has nowhere, or that every one repeats there and this
  /// one has once. Proves nothing for a boot in doubt.
  std::vector<Missing> missing_from(const BootLog& boot) const;
  /// Lines that some reference boots have before their last stage, and some nowhere.
  std::vector<Missing> sometimes() const;

  /// Whether it is one of these boots itself: held against itself no boot differs.
  bool has(const BootLog& boot) const { return identities_.contains({boot.dut, boot.begin}); }

  /// Whether a boot with this line more would be told from the reference: shows that the comparison sees.
  bool would_find(const std::string& text) const;

 private:
  struct Known {
    bool compared = false;                                            // before the bench began to talk, or the kernel's
    bool repeats = false;                                             // in a boot
    std::size_t in_boots = 0, early_in_boots = 0, early_repeats = 0;  // in boots; early: before the last stage
    BootLine early;
    std::size_t boot = 0;  // that has it early
  };

  std::string form(const BootLog& boot, const BootLine& line) const;
  void know(const BootLog& boot, std::size_t number);
  bool watched(const BootLog& boot, const BootLine& line) const;
  bool looked_at(const BootLog& boot, const BootLine& line) const;
  bool begins_a_known(const std::string& cut) const;

  BootNoise noise_;
  LearnedNoise learned_;
  std::map<std::string, Known> known_;
  std::set<std::pair<std::string, SteadyTime>> identities_;
  std::set<std::string> cut_;  // lines without an end: prompts
  Nanoseconds watched_{};      // after the last stage, at most
  std::size_t boots_ = 0, lines_ = 0;
  std::vector<std::string> left_out_;
};

}  // namespace hilcop
