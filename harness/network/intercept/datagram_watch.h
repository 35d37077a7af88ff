// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "io/unique_fd.h"
#include "network/intercept/datagram_hello.h"
#include "network/intercept/intercepted_connection.h"
#include "network/intercept/refusal.h"

namespace hilcop {

/// A client that has begun QUIC or DTLS; one that is not answered begins again and is seen again.
struct SeenDatagram {
  Moment at;
  TcpAddress client, aimed_at;
  DatagramHello hello;
};

struct DatagramCounts {
  std::uint64_t quic = 0, dtls = 0;
};

/// Sees who begins QUIC or DTLS, wherever to, and tells them that nobody listens there. From a thread of its own until it is destroyed.
class DatagramWatch {
 public:
  /// `ears`: raw UDP sockets (udp_ear()), which it owns from here, as what it tells by. `on_seen` returns quickly and throws nothing.
  /// Throws Error.
  DatagramWatch(std::vector<UniqueFd> ears, Refusal refusal, std::function<void(const SeenDatagram&)> on_seen);
  ~DatagramWatch();
  DatagramWatch(const DatagramWatch&) = delete;
  DatagramWatch& operator=(const DatagramWatch&) = delete;
  DatagramCounts counts() const { return {quic_, dtls_}; }

 private:
  void run();
  void hear(int ear);

  std::vector<UniqueFd> ears_;
  Refusal refusal_;
  std::function<void(const SeenDatagram&)> on_seen_;
  UniqueFd end_;
  std::atomic<std::uint64_t> quic_{0}, dtls_{0};
  std::thread thread_;  // the last: it uses the others
};

}  // namespace hilcop
