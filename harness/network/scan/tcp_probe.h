// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "io/unique_fd.h"
#include "network/port/socket_address.h"

namespace hilcop {

/// What a port said to a connection: a handshake; a reset; nothing in time, or word of somebody on the way (nmap's "filtered").
enum class PortState { Open, Closed, Filtered };
const char* name_of(PortState state);

/// One connection to one port, which is reset at its end: nothing is sent, and nothing waits for it afterwards. Never blocks.
class TcpProbe {
 public:
  /// Throws Error{Exhausted}: no descriptor or no local port is left.
  explicit TcpProbe(const SocketAddress& address);
  /// Writable when it has ended.
  int fd() const { return socket_.get(); }
  /// How it ended; nullopt: not yet.
  std::optional<PortState> outcome();
  /// There was no way to the address: nobody there, as ARP or neighbour discovery tells, or a router that says so.
  bool unreachable() const { return unreachable_; }

 private:
  PortState state_of(int error);
  UniqueFd socket_;
  std::optional<PortState> ended_;
  bool unreachable_ = false;
};

}  // namespace hilcop
