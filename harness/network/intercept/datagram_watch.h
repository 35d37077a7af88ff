// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "io/service_thread.h"
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
  std::uint64_t lost = 0;  // datagrams that nobody had time for: not seen is then not proved
};

/// Sees who begins QUIC or DTLS, wherever to, and tells them that nobody listens there. From a thread of its own until it is destroyed.
class DatagramWatch {
 public:
  /// `ears`: raw UDP sockets (udp_ear()), two at most, which it owns from here, as what it tells by. `on_seen` returns quickly and throws
  /// nothing. Throws Error.
  DatagramWatch(std::vector<UniqueFd> ears, Refusal refusal, std::function<void(const SeenDatagram&)> on_seen);
  ~DatagramWatch() { thread_.end(); }
  DatagramWatch(const DatagramWatch&) = delete;
  DatagramWatch& operator=(const DatagramWatch&) = delete;
  DatagramCounts counts() const { return {quic_, dtls_, std::uint64_t{lost_[0]} + lost_[1]}; }

 private:
  void run();
  void hear(std::size_t ear);

  std::vector<UniqueFd> ears_;
  Refusal refusal_;
  std::function<void(const SeenDatagram&)> on_seen_;
  std::atomic<std::uint64_t> quic_{0}, dtls_{0};
  std::atomic<std::uint32_t> lost_[2] = {};  // as the kernel counts, by ear
  ServiceThread thread_;                     // the last: it uses the others
};

}  // namespace hilcop
