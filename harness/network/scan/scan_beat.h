// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "network/scan/echo_socket.h"
#include "network/scan/ready_set.h"
#include "network/scan/scan_pace.h"
#include "network/scan/tcp_scan.h"

namespace hilcop {

/// The heartbeat beside a scan: asks four times a second and tells the pace. Never blocks; not thread-safe.
class ScanBeat {
 public:
  ScanBeat(const SocketAddress& address, ScanPace& pace);

  /// Sends what is due and counts what has not been answered within a second.
  void tick(SteadyTime now);
  /// Takes what has come.
  void take(SteadyTime now);
  /// A port that answers, for a device that answers no echo; the first closed one, or an open one until there is a closed one.
  void may_use(int port, PortState state);
  /// Before the first probe: whether two beats have been answered, or three missed.
  bool rested() const { return at_rest_ >= kRest || figures_.missed >= 3; }

  /// Nothing of it has ever answered.
  bool silent() const { return figures_.kind.empty(); }
  /// Whether it has answered a beat that was sent then or later.
  bool answered_since(SteadyTime when) const { return last_answered_ && *last_answered_ >= when; }

  /// Readable when there is something to take.
  int fd() const { return ready_.fd(); }
  SteadyTime next() const { return next_; }
  ScanHeartbeat figures() const;

 private:
  static constexpr int kRest = 2;
  void send(SteadyTime now);
  void answered(SteadyTime asked, SteadyTime now);
  void missed(SteadyTime now);
  bool echoes() const { return figures_.kind == "echo"; }

  SocketAddress address_;
  ScanPace& pace_;
  EchoSocket echo_;
  ReadySet ready_;  // of the echoes and of the connection that is a beat
  std::uint16_t number_ = 0;
  std::map<std::uint16_t, SteadyTime> asked_;
  std::unique_ptr<TcpProbe> connection_;
  SteadyTime connected_at_{}, next_{};
  std::optional<SteadyTime> held_at_, last_answered_;  // last_answered_: when the beat was sent
  int port_ = 0, at_rest_ = 0;
  std::vector<Nanoseconds> round_trips_;
  ScanHeartbeat figures_;
};

}  // namespace hilcop
