// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

inline sockaddr_in ipv4_address(const char* host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

inline sockaddr_in6 ipv6_loopback(int port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(port));
  address.sin6_addr = in6addr_loopback;
  return address;
}

/// Bound; of TCP (SOCK_STREAM) it listens. Port 0: a free one. Nothing where the address is in use or not there.
template <class Address>
std::optional<UniqueFd> bound_socket(int type, const Address& address) {
  UniqueFd fd(::socket(reinterpret_cast<const sockaddr&>(address).sa_family, type | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  if (type == SOCK_STREAM && ::listen(fd.get(), 64) != 0) return std::nullopt;
  return fd;
}

/// Of a socket of IPv4 or IPv6: both keep it at the same place.
inline int port_of(const UniqueFd& fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

/// On loopback, for a server that cannot be told to choose one itself. Below those that the kernel gives to whoever asks for any
/// (ip_local_port_range): until the server has it, it is nobody's. From a random one on, as other tests ask, too.
inline int free_port(int type = SOCK_STREAM) {
  constexpr int kFirst = 20'000, kCount = 12'000;
  const auto begin = static_cast<int>(std::random_device{}() % kCount);
  for (int i = 0; i < kCount; ++i)
    if (const int port = kFirst + (begin + i) % kCount; bound_socket(type, ipv4_address("127.0.0.1", port))) return port;
  throw std::runtime_error("no free port");
}

/// One of UDP and one of TCP on the same free port of all addresses of IPv4.
inline std::pair<UniqueFd, UniqueFd> udp_and_tcp() {
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto udp = bound_socket(SOCK_DGRAM, ipv4_address("0.0.0.0", 0));
    if (!udp) break;
    auto tcp = bound_socket(SOCK_STREAM, ipv4_address("0.0.0.0", port_of(*udp)));
    if (tcp) return {std::move(*udp), std::move(*tcp)};
  }
  throw std::runtime_error("no free port");
}

/// A client of a service on loopback. Reads end at a deadline: then there is nothing.
class LoopbackClient {
 public:
  explicit LoopbackClient(int type, int port, const char* host = "127.0.0.1") : LoopbackClient(type, ipv4_address(host, port)) {}
  template <class Address>
  LoopbackClient(int type, const Address& address)
      : fd_(::socket(reinterpret_cast<const sockaddr&>(address).sa_family, type | SOCK_CLOEXEC, 0)) {
    if (!fd_ || ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("no connection to a service on loopback");
  }
  int fd() const { return fd_.get(); }
  void send(std::string_view bytes) const {
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("not all could be sent");
  }
  /// One datagram; of TCP what is there, and "" at the end.
  std::optional<std::string> receive(Deadline deadline = Deadline::in(20s)) const {
    pollfd entry{fd_.get(), POLLIN, 0};
    if (::poll(&entry, 1, deadline.poll_timeout_ms()) != 1) return std::nullopt;
    std::string bytes(65536, '\0');
    const auto n = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }
  /// Of TCP: so many bytes, or those that came before the end or the deadline.
  std::string receive_all(std::size_t count, Deadline deadline = Deadline::in(20s)) const {
    std::string bytes;
    while (bytes.size() < count) {
      const auto piece = receive(deadline);
      if (!piece || piece->empty()) break;
      bytes += *piece;
    }
    return bytes;
  }

 private:
  UniqueFd fd_;
};

}  // namespace hilcop
