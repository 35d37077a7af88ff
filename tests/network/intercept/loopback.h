// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>

#include <stdexcept>
#include <utility>

#include "io/unique_fd.h"

namespace hilcop {

/// A listening socket on a free port of 127.0.0.1, and the port.
inline std::pair<UniqueFd, int> listening_on_loopback(int backlog = 512) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd.get(), backlog) != 0)
    throw std::runtime_error("no listening socket on loopback");
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return {std::move(fd), ntohs(address.sin_port)};
}

/// A blocking connection to it, whose reads and writes give up after 10 s.
inline UniqueFd connected_to_loopback(int port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const timeval limit{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("nobody listens");
  return fd;
}

}  // namespace hilcop
