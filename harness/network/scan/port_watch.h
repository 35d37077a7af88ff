// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "io/arrival.h"
#include "network/scan/tcp_probe.h"

namespace hilcop {

struct PortWatchOptions {
  std::vector<int> ports;                               // kMost at most
  std::function<std::vector<std::string>()> addresses;  // of the device, asked anew for each round; on the watch's thread
  std::string interface;                                // of this network, for link-local addresses
  Nanoseconds every = 200ms;                            // 10 ms at least

  static constexpr std::size_t kMost = 256;
};

/// A port that says something else than before, or something for the first time; Filtered: it answers no more.
struct PortChange {
  std::string address;
  int port = 0;
  PortState state = PortState::Filtered;
  SteadyTime asked{};  // when the connection was begun that heard it
  UtcTime utc{};
};

struct WatchedPort {
  std::uint64_t asked = 0, answered = 0, open = 0;                                 // connections; `answered` are open and closed
  std::optional<SteadyTime> first_open, last_open, first_answered, last_answered;  // when they were asked
};

struct PortWatchFigures {
  std::map<std::pair<std::string, int>, WatchedPort> ports;  // of address and port
  std::uint64_t rounds = 0;
  Nanoseconds longest_gap{0};  // between two rounds, and from the last to the end: what was open for shorter may not have been seen
  std::string failure;         // why it watches no more, or has seen nothing at all; empty: it does, and has
};

/// Asks a few ports for a connection again and again while a device boots, so that a service that is there for a moment is seen. A round is
/// begun whether the last one was answered or not. Thread-safe.
class PortWatch {
 public:
  /// `on_change`: on the watch's thread. Throws Error{Config}.
  PortWatch(PortWatchOptions options, std::function<void(const PortChange&)> on_change);
  /// Blocks until a callback that runs has returned.
  ~PortWatch();

  PortWatchFigures figures() const;
  /// The same, and it watches no more. Idempotent.
  PortWatchFigures stop();

 private:
  class Loop;
  void run();

  PortWatchOptions options_;
  std::function<void(const PortChange&)> on_change_;
  mutable std::mutex mutex_;
  PortWatchFigures figures_;
  Arrival stop_;
  std::jthread thread_;
};

}  // namespace hilcop
