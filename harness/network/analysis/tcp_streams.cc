// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/tcp_streams.h"

#include <utility>

#include "network/analysis/tcp_direction.h"

namespace hilcop::analysis {
namespace {

// So far before the first byte that was seen an acknowledgement may tell where the stream begins.
constexpr std::uint32_t kNearBegin = 1u << 20;

}  // namespace

struct TcpStreams::Connection {
  Connection(const TcpConnection& connection, TcpShared shared)
      : about(connection), client(Side::Client, shared), server(Side::Server, shared) {}
  TcpDirection& of(Side side) { return side == Side::Client ? client : server; }

  TcpConnection about;
  TcpDirection client, server;
  std::unique_ptr<StreamSink> sink;
  bool ended = false;
  std::list<FiveTuple>::iterator age;
};

TcpStreams::TcpStreams(Open open, TcpLimits limits) : open_(std::move(open)), limits_(limits) {}
TcpStreams::~TcpStreams() = default;

std::string_view name_of(GapReason reason) {
  switch (reason) {
    case GapReason::NotCaptured:
      return "not captured";
    case GapReason::Truncated:
      return "cut off by the capture's snap length";
    case GapReason::Memory:
      return "waited for beyond the memory for it";
    case GapReason::BeforeBegin:
      return "from before the first byte that was seen";
    case GapReason::AfterEnd:
      return "after both sides had ended the connection";
  }
  return "";
}

void TcpStreams::add(const Frame& frame, const Place& place) {
  ++counts_.segments;
  bool from_client = true;
  auto* connection = &connection_of(frame, from_client);
  // The ports are used for another connection: its SYN tells another begin.
  if ((frame.tcp_flags & kTcpSyn) != 0) {
    auto& own = connection->of(from_client ? Side::Client : Side::Server);
    if (own.begun() && !own.begins_at(frame.sequence + 1)) {
      finish(*connection);
      ages_.erase(connection->age);
      connections_.erase(FiveTuple{connection->about.client, connection->about.server, frame.ip_protocol});
      connection = &fresh(frame, (frame.tcp_flags & kTcpAck) == 0);
      from_client = connection->about.client == frame.from;
    }
  }
  segment(*connection, from_client ? Side::Client : Side::Server, frame, place);
}

TcpStreams::Connection& TcpStreams::connection_of(const Frame& frame, bool& from_client) {
  for (const bool turned : {false, true}) {
    const auto found = connections_.find(turned ? frame.tuple().turned() : frame.tuple());
    if (found == connections_.end()) continue;
    from_client = !turned;
    ages_.splice(ages_.end(), ages_, found->second->age);
    return *found->second;
  }
  from_client = client_sends(frame);
  return fresh(frame, from_client);
}

TcpStreams::Connection& TcpStreams::fresh(const Frame& frame, bool from_client) {
  TcpConnection about;
  about.number = counts_.connections++;
  about.client = from_client ? frame.from : frame.to;
  about.server = from_client ? frame.to : frame.from;
  about.picked_up = (frame.tcp_flags & kTcpSyn) == 0;
  if (about.picked_up && (frame.tcp_flags & kTcpRst) == 0) ++counts_.picked_up;
  about.first_frame = frame.packet.frame;
  about.first = frame.packet.at;
  const FiveTuple key{about.client, about.server, frame.ip_protocol};
  auto made = std::make_unique<Connection>(about, TcpShared{limits_, counts_, waiting_, history_});
  made->age = ages_.insert(ages_.end(), key);
  auto& slot = connections_[key];
  slot = std::move(made);
  auto& connection = *slot;
  if (connections_.size() > limits_.connections) {
    const auto oldest = connections_.find(ages_.front());
    ++counts_.forgotten;
    finish(*oldest->second);
    ages_.pop_front();
    connections_.erase(oldest);
  }
  return connection;
}

void TcpStreams::segment(Connection& connection, Side side, const Frame& frame, const Place& place) {
  auto& own = connection.of(side);
  auto& other = connection.of(side == Side::Client ? Side::Server : Side::Client);
  const TcpDirection::Sink sink = [&]() -> StreamSink& {
    if (!connection.sink) connection.sink = open_(connection.about);
    return *connection.sink;
  };
  const bool syn = (frame.tcp_flags & kTcpSyn) != 0, reset = (frame.tcp_flags & kTcpRst) != 0;
  const auto first = frame.sequence + (syn ? 1 : 0);
  if ((frame.tcp_flags & kTcpAck) != 0 && !reset) {
    if (!other.begun()) other.begin(frame.acknowledgement);  // whatever came before was not seen
    other.acknowledged(frame.acknowledgement);
  }
  if (reset) return;  // its bytes, if any, are no data (RFC 9293 3.5.3), and anybody may send one
  if (!own.begun()) {
    own.begin(first);
  } else if (!syn && own.untouched() && connection.about.picked_up) {
    // An acknowledgement made the begin of it known too late.
    const auto before = static_cast<std::uint32_t>(-own.offset_of(first));
    if (before != 0 && before < kNearBegin && frame.payload_length != 0) own.begin(first);
  }
  if (connection.ended) {
    const auto offset = own.offset_of(first);
    const auto end = offset + static_cast<std::int64_t>(frame.payload_length);
    if (frame.payload_length == 0) return;
    if (end > static_cast<std::int64_t>(own.next())) {
      ++counts_.gaps, counts_.gap_bytes += frame.payload_length;
      sink().gap(side, own.next(), frame.payload_length, GapReason::AfterEnd);
    } else {
      own.add(first, frame.payload, frame.payload_length, place, frame.packet.at, sink);
    }
    return;
  }
  if (frame.payload_length != 0) own.add(first, frame.payload, frame.payload_length, place, frame.packet.at, sink);
  if ((frame.tcp_flags & kTcpFin) != 0) own.fin(first + static_cast<std::uint32_t>(frame.payload_length));
  if (connection.client.complete() && connection.server.complete()) finish(connection);
}

void TcpStreams::finish(Connection& connection) {
  if (connection.ended) return;
  const TcpDirection::Sink sink = [&]() -> StreamSink& {
    if (!connection.sink) connection.sink = open_(connection.about);
    return *connection.sink;
  };
  for (auto* direction : {&connection.client, &connection.server}) {
    direction->finish(sink);
    direction->retire();
  }
  connection.ended = true;
  if (connection.sink) connection.sink->end();
}

void TcpStreams::finish() {
  while (!ages_.empty()) {
    const auto oldest = connections_.find(ages_.front());
    finish(*oldest->second);
    ages_.pop_front();
    connections_.erase(oldest);
  }
}

}  // namespace hilcop::analysis
