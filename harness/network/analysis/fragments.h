// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "network/analysis/frame.h"

namespace hilcop::analysis {

/// What fragments made when the last of them came: `bytes` from the transport header on, and where each stood.
struct Defragmented {
  std::vector<std::byte> bytes;
  std::vector<Place> places;  // in order, without a gap
  std::optional<Earlier> earlier;
};

/// Puts IP fragments together (RFC 791, RFC 8200 4.5). Of bytes that come twice the first win. Bounded: kMostDatagrams that wait, oldest
/// given up first, and 64 KiB each. Whatever is not put together is counted.
class Fragments {
 public:
  static constexpr std::size_t kMostDatagrams = 256, kMostPieces = 1024;

  /// Of a frame with is_fragment. Nothing while some are missing.
  std::optional<Defragmented> add(const Frame& frame);
  /// Of fragments that were lost for one of these reasons so far; at the end of a capture after finish().
  std::uint64_t count(Unread why) const { return counts_[static_cast<std::size_t>(why)]; }
  void finish();

 private:
  struct Key {
    IpAddress from, to;
    std::uint32_t id;
    std::uint8_t protocol;
    auto operator<=>(const Key&) const = default;  // NOLINT(modernize-use-nullptr): of a comparison with 0 that nobody wrote
  };
  struct Piece {
    std::vector<std::byte> bytes;
    Place place;
  };
  struct Waiting {
    std::map<std::uint32_t, Piece> pieces;  // by their offset, never overlapping
    std::optional<std::uint32_t> end;
    bool cut = false;  // by the snap length: it can never be whole
    std::uint64_t fragments = 0, wire_bytes = 0;
    UtcTime first;
    std::vector<std::uint64_t> frames;
    std::list<Key>::iterator age;
    std::uint32_t reached() const;  // of those up to the end, without a gap
  };
  void insert(Waiting& waiting, std::uint32_t offset, Bytes bytes, const Frame& frame);
  void give_up(const Key& key, Unread why);
  void note(Unread why, std::uint64_t count = 1) { counts_[static_cast<std::size_t>(why)] += count; }

  std::map<Key, Waiting> waiting_;
  std::list<Key> ages_;
  std::array<std::uint64_t, static_cast<std::size_t>(Unread::Count)> counts_{};
};

}  // namespace hilcop::analysis
