// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/place_map.h"

#include <algorithm>

namespace hilcop::analysis {
namespace {

constexpr std::size_t kMostPlaces = 64;  // of one finding

}  // namespace

void PlaceMap::add(std::uint64_t offset, const Place& place) {
  if (pieces_.size() == kMost) pieces_.pop_front();
  pieces_.push_back({offset, place});
}

std::vector<Place> PlaceMap::find(std::uint64_t begin, std::uint64_t end) const {
  std::vector<Place> found;
  auto at = std::upper_bound(pieces_.begin(), pieces_.end(), begin, [](auto offset, const Piece& piece) { return offset < piece.offset; });
  if (at != pieces_.begin()) --at;
  for (; at != pieces_.end() && at->offset < end; ++at) {
    const auto from = std::max(begin, at->offset), to = std::min(end, at->offset + at->place.size);
    if (from >= to) continue;
    const auto part = at->place.part(from - at->offset, to - from);
    if (!found.empty() && found.back().frame == part.frame && found.back().offset + found.back().size == part.offset) {
      found.back().size += part.size;
    } else {
      if (found.size() == kMostPlaces) found.erase(found.begin() + kMostPlaces / 2);
      found.push_back(part);
    }
  }
  return found;
}

}  // namespace hilcop::analysis
