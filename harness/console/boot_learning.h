// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

namespace hilcop {

/// What is noise for one board and not in general: where lines of the same shape hold other numbers in every reference boot, that
/// number is noise in those lines (docs/boot-log.md). From fewer than two boots nothing is learned. Immutable.
class LearnedNoise {
 public:
  LearnedNoise() = default;
  /// Each boot by its normal lines.
  explicit LearnedNoise(const std::vector<std::set<std::string>>& boots);

  /// The line with learned numbers masked; as it is when nothing of it was learned.
  std::string masked(const std::string& normal) const;
  /// How many number positions were learned.
  std::size_t size() const { return size_; }

 private:
  struct Learned {
    std::vector<bool> noise;
    std::set<std::string> forms;  // what it may look like, masked: the other numbers of a line stay what they are
  };

  std::set<std::string> fixed_;  // lines of every boot
  std::map<std::string, Learned> shapes_;
  std::size_t size_ = 0;
};

}  // namespace hilcop
