// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/peer_socket.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace hilcop {
namespace {

constexpr int kOriginalDestination = 80;  // SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST, whose headers do not go with netinet/in.h

std::optional<TcpAddress> address_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return TcpAddress{text.data(), ntohs(v4.sin_port)};
  }
  if (storage.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
  ::inet_ntop(mapped ? AF_INET : AF_INET6, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), text.data(), text.size());
  return TcpAddress{text.data(), ntohs(v6.sin6_port)};
}

}  // namespace

std::optional<TcpAddress> original_destination(int fd) {
  sockaddr_storage storage{};
  for (const int level : {SOL_IP, SOL_IPV6}) {
    socklen_t size = sizeof storage;
    if (::getsockopt(fd, level, kOriginalDestination, &storage, &size) == 0) return address_of(storage);
  }
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
  return address_of(storage);
}

std::optional<std::uint64_t> acknowledged_bytes(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (size < offsetof(tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked) return std::nullopt;
  return info.tcpi_bytes_acked;
}

}  // namespace hilcop
