// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "network/analysis/tcp_streams.h"

namespace hilcop::analysis {

/// What all directions of all connections share.
struct TcpShared {
  const TcpLimits& limits;
  TcpCounts& counts;
  std::size_t& waiting;  // bytes out of order of all
  std::size_t& history;  // bytes of all histories
};

/// One side's bytes, put in order. Offsets count from the first byte and do not wrap.
class TcpDirection {
 public:
  /// Where deliveries go; made at the first.
  using Sink = std::function<StreamSink&()>;
  TcpDirection(Side side, TcpShared shared) : side_(side), shared_(shared) {}
  ~TcpDirection() { forget(); }
  TcpDirection(const TcpDirection&) = delete;
  TcpDirection& operator=(const TcpDirection&) = delete;

  bool begun() const { return begun_; }
  /// `sequence` is that of the first byte.
  void begin(std::uint32_t sequence) { begun_ = true, base_ = sequence; }
  /// Nothing is known of it but where it may begin.
  bool untouched() const { return next_ == 0 && acknowledged_ == 0 && !fin_ && waiting_.empty(); }
  bool begins_at(std::uint32_t sequence) const { return begun_ && base_ == sequence; }

  /// `length` on the wire may be more than there are bytes.
  void add(std::uint32_t sequence, Bytes bytes, std::size_t length, const Place& place, UtcTime at, const Sink& sink);
  /// Its last byte stands before this sequence number.
  void fin(std::uint32_t sequence);
  /// The other side has told that it has all before it.
  void acknowledged(std::uint32_t sequence);
  bool complete() const { return fin_ && next_ >= *fin_; }
  /// Gives up every hole, also one at the end that was acknowledged.
  void finish(const Sink& sink);
  /// After finish(): keeps little to compare with what is sent again.
  void retire();
  /// Frees what it holds.
  void forget();
  std::uint64_t next() const { return next_; }
  std::int64_t offset_of(std::uint32_t sequence) const;

 private:
  struct Waiting {
    std::vector<std::byte> bytes;
    Place place;
    UtcTime at;
    std::size_t missing = 0;  // after them: the capture cut the segment
  };
  void deliver(Bytes bytes, const Place& place, UtcTime at, const Sink& sink);
  void drain(const Sink& sink);
  void keep(std::uint64_t offset, Bytes bytes, std::size_t missing, const Place& place, UtcTime at, const Sink& sink);
  void compare(std::uint64_t offset, Bytes bytes, const Place& place, const Sink& sink);
  void gap(std::uint64_t bytes, GapReason reason, const Sink& sink);
  void lost_after(std::size_t missing, const Sink& sink);
  void give_up_first(GapReason reason, const Sink& sink);
  void remember(Bytes bytes);
  void put(std::uint64_t offset, Waiting made);
  void release(const Waiting& waiting);

  Side side_;
  TcpShared shared_;
  bool begun_ = false;
  std::uint32_t base_ = 0;
  std::uint64_t next_ = 0, acknowledged_ = 0;
  std::optional<std::uint64_t> fin_;
  std::map<std::uint64_t, Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<std::byte> history_;  // ends at next_
};

}  // namespace hilcop::analysis
