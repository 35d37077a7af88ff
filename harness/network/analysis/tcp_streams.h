// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "network/analysis/frame.h"

namespace hilcop::analysis {

enum class Side : std::uint8_t { Client, Server };  // who sent it

/// One TCP connection of a capture. The client is who sent the first SYN; where that was not seen the lower port below 1024 is the
/// server's.
struct TcpConnection {
  std::uint64_t number = 0;  // from 0, in the order of their first frames
  Endpoint client, server;
  bool picked_up = false;  // its begin was not seen
  std::uint64_t first_frame = 0;
  UtcTime first;
};

/// Bytes of one side in order: `offset` counts from the first byte after the SYN (or from where the connection was picked up).
struct StreamPiece {
  Bytes bytes;
  std::uint64_t offset = 0;
  Place place;
  UtcTime at;
};

enum class GapReason : std::uint8_t {
  NotCaptured,  // never seen, though later bytes or acknowledgements of them were
  Truncated,    // the capture kept less than the segment had
  Memory,       // given up while waiting for them
  BeforeBegin,  // bytes from before the first that was seen
  AfterEnd,     // bytes after both sides had ended it
};
std::string_view name_of(GapReason reason);

/// What one connection's bytes go to. Calls come in order for each side; `bytes` live for the call alone.
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  virtual void data(Side side, const StreamPiece& piece) = 0;
  /// `bytes` at this offset are not known; the next piece begins after them (BeforeBegin and AfterEnd apart, which move nothing).
  virtual void gap(Side side, std::uint64_t offset, std::uint64_t bytes, GapReason reason) = 0;
  /// A segment said something else for bytes that were there already, which won.
  virtual void conflict(Side side, std::uint64_t offset, const Place& later) { (void)side, (void)offset, (void)later; }
  /// Nothing more comes: both sides have ended it, it was forgotten, the ports were taken for another, or the capture ends.
  virtual void end() {}
};

struct TcpLimits {
  std::size_t connections = 50'000;
  std::size_t waiting_of_one = 1u << 20, waiting_of_all = 64u << 20;   // bytes out of order
  std::size_t history_of_one = 32u << 10, history_of_all = 64u << 20;  // bytes delivered, kept to compare retransmissions with
};

struct TcpCounts {
  std::uint64_t connections = 0, picked_up = 0, forgotten = 0;  // forgotten: more were open at a time than the limit
  std::uint64_t segments = 0, bytes = 0, retransmitted_bytes = 0, out_of_order_segments = 0;
  std::uint64_t not_compared_bytes = 0;  // retransmitted, but of what is no longer kept
  std::uint64_t conflicts = 0, gaps = 0, gap_bytes = 0;
};

/// Puts TCP streams together (RFC 9293): segments in any order, twice, overlapping (the first wins, a difference is told), around the end
/// of the sequence numbers. What is missing is a gap and is told with its size: nobody can say that something did not stand there. Memory
/// is bounded by TcpLimits; a hole that is not filled within them is given up as a gap. Time to look back is bounded by them alone: no
/// clock. Not thread-safe. Never throws by itself.
class TcpStreams {
 public:
  /// Asked at the first byte or gap of a connection; what it returns lives until after its end().
  using Open = std::function<std::unique_ptr<StreamSink>(const TcpConnection&)>;
  explicit TcpStreams(Open open, TcpLimits limits = {});
  ~TcpStreams();
  TcpStreams(const TcpStreams&) = delete;
  TcpStreams& operator=(const TcpStreams&) = delete;

  /// A frame with a TCP header. `place`: of its payload; frame.payload lies there.
  void add(const Frame& frame) { add(frame, frame.place_of(frame.payload)); }
  void add(const Frame& frame, const Place& place);
  /// The end of the capture: gives up all holes and ends all connections.
  void finish();
  const TcpCounts& counts() const { return counts_; }

 private:
  struct Connection;
  Connection& connection_of(const Frame& frame, bool& from_client);
  Connection& fresh(const Frame& frame, bool from_client);
  void segment(Connection& connection, Side side, const Frame& frame, const Place& place);
  void finish(Connection& connection);

  Open open_;
  TcpLimits limits_;
  TcpCounts counts_;
  std::size_t waiting_ = 0, history_ = 0;
  std::list<FiveTuple> ages_;  // least lately used first; client's side first
  std::unordered_map<FiveTuple, std::unique_ptr<Connection>, FiveTupleHash> connections_;
};

}  // namespace hilcop::analysis
