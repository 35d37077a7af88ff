// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/fragments.h"

#include <algorithm>
#include <utility>

namespace hilcop::analysis {
namespace {

constexpr std::size_t kLongestDatagram = 65'535;

}  // namespace

std::optional<Defragmented> Fragments::add(const Frame& frame) {
  const auto end = frame.fragment_offset + frame.ip_payload_length;
  if (frame.ip_payload_length == 0 || end > kLongestDatagram || (frame.more_fragments && frame.ip_payload_length % 8 != 0)) {
    note(Unread::FragmentMalformed);
    return std::nullopt;
  }
  // In IPv4 the protocol is a part of the name; in IPv6 only the first fragment has the true one.
  const Key key{frame.from.address, frame.to.address, frame.fragment_id,
                frame.from.address.size == 4 ? frame.ip_protocol : std::uint8_t{0}};
  auto [found, fresh] = waiting_.try_emplace(key);
  auto& waiting = found->second;
  if (fresh) {
    waiting.age = ages_.insert(ages_.end(), key);
    waiting.first = frame.packet.at;
    if (waiting_.size() > kMostDatagrams) give_up(Key(ages_.front()), Unread::FragmentsTooMany);
  }
  ++waiting.fragments;
  waiting.wire_bytes += frame.packet.length;
  if (waiting.pieces.size() >= kMostPieces) {
    give_up(key, Unread::FragmentsTooMany);
    return std::nullopt;
  }
  if (!frame.more_fragments) {
    if (waiting.end && *waiting.end != end) note(Unread::FragmentsConflict);
    if (!waiting.end) waiting.end = static_cast<std::uint32_t>(end);
  }
  if (frame.ip_payload.size() < frame.ip_payload_length) waiting.cut = true;
  insert(waiting, frame.fragment_offset, frame.ip_payload, frame);
  const bool all_here = waiting.end && waiting.reached() >= *waiting.end;
  if (!all_here) {
    if (waiting.frames.size() < kMostPieces) waiting.frames.push_back(frame.packet.frame);
    return std::nullopt;
  }
  Defragmented made;
  for (const auto& [offset, piece] : waiting.pieces) {
    if (offset >= *waiting.end) break;
    const auto count = std::min<std::size_t>(piece.bytes.size(), *waiting.end - offset);
    made.bytes.insert(made.bytes.end(), piece.bytes.begin(), piece.bytes.begin() + static_cast<std::ptrdiff_t>(count));
    made.places.push_back(piece.place.part(0, count));
  }
  if (waiting.fragments > 1)
    made.earlier = {waiting.fragments - 1, waiting.wire_bytes - frame.packet.length, waiting.first, std::move(waiting.frames)};
  ages_.erase(waiting.age);
  waiting_.erase(found);
  return made;
}

std::uint32_t Fragments::Waiting::reached() const {
  std::uint32_t reached = 0;
  for (const auto& [offset, piece] : pieces) {
    if (offset != reached || reached >= *end) break;
    reached += static_cast<std::uint32_t>(piece.bytes.size());
  }
  return reached;
}

// The bytes that are not there yet; what is there already stays.
void Fragments::insert(Waiting& waiting, std::uint32_t offset, Bytes bytes, const Frame& frame) {
  while (!bytes.empty()) {
    const auto after = waiting.pieces.upper_bound(offset);
    if (after != waiting.pieces.begin()) {
      const auto& [at, piece] = *std::prev(after);
      const auto piece_end = at + piece.bytes.size();
      if (piece_end > offset) {
        const auto common = std::min<std::size_t>(bytes.size(), piece_end - offset);
        if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(common),
                        piece.bytes.begin() + static_cast<std::ptrdiff_t>(offset - at)))
          note(Unread::FragmentsConflict);
        bytes = bytes.subspan(common);
        offset += static_cast<std::uint32_t>(common);
        continue;
      }
    }
    const auto room = after == waiting.pieces.end() ? bytes.size() : std::min<std::size_t>(bytes.size(), after->first - offset);
    const auto part = bytes.first(room);
    waiting.pieces.emplace(offset, Piece{{part.begin(), part.end()}, frame.place_of(part)});
    bytes = bytes.subspan(room);
    offset += static_cast<std::uint32_t>(room);
  }
}

void Fragments::give_up(const Key& key, Unread why) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end()) return;
  note(found->second.cut ? Unread::Snapped : why, found->second.fragments);
  ages_.erase(found->second.age);
  waiting_.erase(found);
}

void Fragments::finish() {
  while (!ages_.empty()) give_up(Key(ages_.front()), Unread::FragmentsIncomplete);
}

}  // namespace hilcop::analysis
