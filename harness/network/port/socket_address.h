// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/socket.h>

#include <string>

namespace hilcop {

/// Where a socket of this network goes, as the kernel has it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

/// An address without a name ("10.77.0.50", "fe80::1", which is at `interface`) and a port or protocol number. Throws Error{Config}.
SocketAddress socket_address(const std::string& address, int port, const std::string& interface);
SocketAddress with_port(const SocketAddress& address, int port);
/// Without the port: "10.77.0.50".
std::string address_text(const SocketAddress& address);
int port_of(const SocketAddress& address);

}  // namespace hilcop
