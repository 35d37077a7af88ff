// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/tcp_direction.h"

#include <algorithm>

namespace hilcop::analysis {
namespace {

constexpr std::size_t kCostOfOneWaiting = 128;  // beside its bytes
constexpr std::size_t kKeptAtEnd = 1024;        // to compare a last retransmission with
// An acknowledgement further ahead than any window (RFC 7323: 2^30) is of another connection.
constexpr std::int64_t kFarthestAcknowledged = std::int64_t{1} << 30;

}  // namespace

std::int64_t TcpDirection::offset_of(std::uint32_t sequence) const {
  const auto now = base_ + static_cast<std::uint32_t>(next_);
  return static_cast<std::int64_t>(next_) + static_cast<std::int32_t>(sequence - now);
}

void TcpDirection::add(std::uint32_t sequence, Bytes bytes, std::size_t length, const Place& place, UtcTime at, const Sink& sink) {
  auto offset = offset_of(sequence);
  auto where = place;
  const auto cut_front = [&](std::size_t count) {
    const auto there = std::min(count, bytes.size());
    bytes = bytes.subspan(there);
    where = where.part(there, bytes.size());
    offset += static_cast<std::int64_t>(count);
    length -= count;
  };
  if (offset < 0) {
    // One byte before the first may be a keep-alive's (RFC 9293 3.8.4), which has no meaning.
    const auto before = std::min<std::size_t>(length, static_cast<std::size_t>(-offset));
    if (before > 1 || offset < -1) {
      ++shared_.counts.gaps, shared_.counts.gap_bytes += before;
      sink().gap(side_, 0, before, GapReason::BeforeBegin);
    }
    cut_front(before);
  }
  if (length != 0 && static_cast<std::uint64_t>(offset) > next_) ++shared_.counts.out_of_order_segments;
  while (length != 0) {
    const auto from = static_cast<std::uint64_t>(offset);
    if (from < next_) {
      const auto old = std::min<std::size_t>(length, next_ - from);
      shared_.counts.retransmitted_bytes += old;
      compare(from, bytes.first(std::min(old, bytes.size())), where, sink);
      cut_front(old);
    } else if (from > next_) {
      keep(from, bytes, length - bytes.size(), where, at, sink);
      break;
    } else if (!waiting_.empty() && waiting_.begin()->first == next_) {
      drain(sink);
    } else {
      const auto room = waiting_.empty() ? length : std::min<std::size_t>(length, waiting_.begin()->first - next_);
      const auto part = std::min(room, bytes.size());
      if (part != 0) deliver(bytes.first(part), where.part(0, part), at, sink);
      if (part < room) lost_after(room - part, sink);
      cut_front(room);
    }
  }
  drain(sink);
}

void TcpDirection::deliver(Bytes bytes, const Place& place, UtcTime at, const Sink& sink) {
  shared_.counts.bytes += bytes.size();
  sink().data(side_, {bytes, next_, place, at});
  next_ += bytes.size();
  remember(bytes);
}

void TcpDirection::drain(const Sink& sink) {
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    const auto node = waiting_.extract(waiting_.begin());
    const auto& there = node.mapped();
    release(there);
    if (!there.bytes.empty()) deliver(there.bytes, there.place, there.at, sink);
    if (there.missing != 0) lost_after(there.missing, sink);
  }
}

// What the capture cut off will not come any more, but for what waits already.
void TcpDirection::lost_after(std::size_t missing, const Sink& sink) {
  const auto room = waiting_.empty() ? missing : std::min<std::uint64_t>(missing, waiting_.begin()->first - next_);
  if (room != 0) gap(room, GapReason::Truncated, sink);
}

void TcpDirection::gap(std::uint64_t bytes, GapReason reason, const Sink& sink) {
  ++shared_.counts.gaps, shared_.counts.gap_bytes += bytes;
  sink().gap(side_, next_, bytes, reason);
  next_ += bytes;
  shared_.history -= history_.size();
  history_.clear();
}

// Into the holes alone: what waits already came first.
void TcpDirection::keep(std::uint64_t offset, Bytes bytes, std::size_t missing, const Place& place, UtcTime at, const Sink& sink) {
  auto where = place;
  if (bytes.empty() && !waiting_.contains(offset)) put(offset, {{}, place, at, missing});
  while (!bytes.empty()) {
    auto after = waiting_.upper_bound(offset);
    std::size_t part = bytes.size();
    bool there = false;
    if (after != waiting_.begin()) {
      const auto& [begin, waiting] = *std::prev(after);
      if (begin + waiting.bytes.size() > offset) {
        there = true;
        part = std::min<std::size_t>(part, begin + waiting.bytes.size() - offset);
        shared_.counts.retransmitted_bytes += part;
        if (!std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(part),
                        waiting.bytes.begin() + static_cast<std::ptrdiff_t>(offset - begin))) {
          ++shared_.counts.conflicts;
          sink().conflict(side_, offset, where.part(0, part));
        }
      }
    }
    if (!there) {
      if (after != waiting_.end()) part = std::min<std::size_t>(part, after->first - offset);
      const auto first = bytes.first(part);
      put(offset, {{first.begin(), first.end()}, where.part(0, part), at, part == bytes.size() ? missing : 0});
    }
    bytes = bytes.subspan(part);
    where = where.part(part, bytes.size());
    offset += part;
  }
  while (!waiting_.empty() &&
         (waiting_bytes_ > shared_.limits.waiting_of_one || (shared_.waiting > shared_.limits.waiting_of_all && waiting_bytes_ != 0)))
    give_up_first(GapReason::Memory, sink);
}

void TcpDirection::give_up_first(GapReason reason, const Sink& sink) {
  // Acknowledged means that the other side has it: the capture alone lost it.
  if (waiting_.begin()->first > next_)
    gap(waiting_.begin()->first - next_, acknowledged_ >= waiting_.begin()->first ? GapReason::NotCaptured : reason, sink);
  drain(sink);
}

void TcpDirection::compare(std::uint64_t offset, Bytes bytes, const Place& place, const Sink& sink) {
  const auto kept_from = next_ - history_.size();
  const auto old = std::min<std::uint64_t>(bytes.size(), offset < kept_from ? kept_from - offset : 0);
  shared_.counts.not_compared_bytes += old;
  bytes = bytes.subspan(old);
  if (bytes.empty()) return;
  if (std::equal(bytes.begin(), bytes.end(), history_.begin() + static_cast<std::ptrdiff_t>(offset + old - kept_from))) return;
  // A keep-alive repeats the last byte, and may say anything there.
  if (bytes.size() == 1 && offset + 1 == next_ && bytes[0] == std::byte{0} && place.size == 1) return;
  ++shared_.counts.conflicts;
  sink().conflict(side_, offset + old, place.part(old, bytes.size()));
}

void TcpDirection::remember(Bytes bytes) {
  const auto most = shared_.limits.history_of_one;
  const auto before = history_.size();
  if (bytes.size() >= most) {
    history_.assign(bytes.end() - static_cast<std::ptrdiff_t>(most), bytes.end());
  } else {
    // Twice as much at times, so that bytes are moved seldom.
    if (history_.size() + bytes.size() > 2 * most)
      history_.erase(history_.begin(), history_.end() - static_cast<std::ptrdiff_t>(most - bytes.size()));
    history_.insert(history_.end(), bytes.begin(), bytes.end());
  }
  shared_.history += history_.size() - before;
  if (shared_.history > shared_.limits.history_of_all) {
    shared_.history -= history_.size();
    std::vector<std::byte>().swap(history_);
  }
}

void TcpDirection::put(std::uint64_t offset, Waiting made) {
  const auto cost = made.bytes.size() + kCostOfOneWaiting;
  auto& slot = waiting_.try_emplace(offset).first->second;
  if (slot.place.frame != 0) release(slot);  // there of a segment that was cut before its first byte
  slot = std::move(made);
  waiting_bytes_ += cost, shared_.waiting += cost;
}

void TcpDirection::release(const Waiting& waiting) {
  const auto cost = waiting.bytes.size() + kCostOfOneWaiting;
  waiting_bytes_ -= cost, shared_.waiting -= cost;
}

void TcpDirection::fin(std::uint32_t sequence) {
  const auto offset = offset_of(sequence);
  if (!fin_ && offset >= 0) fin_ = static_cast<std::uint64_t>(offset);
}

void TcpDirection::acknowledged(std::uint32_t sequence) {
  const auto offset = offset_of(sequence);
  if (offset > 0 && offset - static_cast<std::int64_t>(next_) < kFarthestAcknowledged)
    acknowledged_ = std::max(acknowledged_, static_cast<std::uint64_t>(offset));
}

void TcpDirection::finish(const Sink& sink) {
  if (!begun_) return;
  while (!waiting_.empty()) give_up_first(GapReason::NotCaptured, sink);
  // A FIN takes a number of its own; where it was not seen one byte more than there is may have been one.
  auto told = acknowledged_;
  if (fin_) told = acknowledged_ > *fin_ ? std::max(*fin_, acknowledged_ - 1) : std::max(*fin_, acknowledged_);
  if (told > next_) gap(told - next_, GapReason::NotCaptured, sink);
}

void TcpDirection::retire() {
  if (history_.size() <= kKeptAtEnd) return;
  shared_.history -= history_.size() - kKeptAtEnd;
  history_ = std::vector<std::byte>(history_.end() - static_cast<std::ptrdiff_t>(kKeptAtEnd), history_.end());
}

void TcpDirection::forget() {
  for (const auto& [offset, waiting] : waiting_) release(waiting);
  waiting_.clear();
  shared_.history -= history_.size();
  std::vector<std::byte>().swap(history_);
}

}  // namespace hilcop::analysis
