// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

#include "network/analysis/address.h"

namespace hilcop::analysis {

/// Where the latest bytes of a stream stood: from offsets in it to frames. Remembers kMost pieces.
class PlaceMap {
 public:
  static constexpr std::size_t kMost = 16'384;

  /// Offsets grow from call to call.
  void add(std::uint64_t offset, const Place& place);
  /// Of the bytes [begin, end), in order, pieces of one frame that touch as one. What it no longer knows is missing at the front; of very
  /// many pieces the middle is left out.
  std::vector<Place> find(std::uint64_t begin, std::uint64_t end) const;

 private:
  struct Piece {
    std::uint64_t offset;
    Place place;
  };
  std::deque<Piece> pieces_;
};

}  // namespace hilcop::analysis
