// SPDX-License-Identifier: Apache-2.0
#include "network/scan/echo_socket.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/error.h"

namespace hilcop {

namespace {

constexpr std::size_t kSize = 16;  // header and eight bytes

std::uint16_t checksum(const std::array<std::uint8_t, kSize>& bytes) {  // RFC 1071
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kSize; i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void put(std::array<std::uint8_t, kSize>& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace

EchoSocket::EchoSocket(const SocketAddress& address)
    : v6_(address.family() == AF_INET6), identifier_(static_cast<std::uint16_t>(std::random_device()())) {
  socket_.reset(::socket(address.family(), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, v6_ ? static_cast<int>(IPPROTO_ICMPV6) : IPPROTO_ICMP));
  const auto object = "echo request to " + address_text(address);
  if (!socket_) throw error_from_errno(errno, object, "no raw socket");
  if (v6_) {
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
    ::setsockopt(socket_.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
  }
  auto to = address;  // a raw socket's port is a protocol's number, of IPv6 at least
  if (v6_) reinterpret_cast<sockaddr_in6&>(to.storage).sin6_port = 0;
  // Where there is no way yet there is none for a request either, which send() says.
  if (::connect(socket_.get(), to.get(), to.size) != 0 && errno != ENETUNREACH && errno != EHOSTUNREACH)
    throw error_from_errno(errno, object, "cannot be sent");
}

bool EchoSocket::send(std::uint16_t number) {
  std::array<std::uint8_t, kSize> bytes{};
  bytes[0] = v6_ ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
  put(bytes, 4, identifier_);
  put(bytes, 6, number);
  if (!v6_) put(bytes, 2, checksum(bytes));  // of ICMPv6 the kernel's
  return ::send(socket_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

std::optional<std::uint16_t> EchoSocket::receive() {
  for (std::array<std::uint8_t, 2048> bytes{};;) {
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size < 0 && (errno == EINTR || errno == EHOSTUNREACH || errno == ENETUNREACH || errno == ECONNREFUSED)) continue;
    if (size < 0) return std::nullopt;
    const std::size_t begin = v6_ ? 0 : static_cast<std::size_t>(bytes[0] & 0xf) * 4;  // IPv4 gives its own header too
    if (static_cast<std::size_t>(size) < begin + 8) continue;
    const auto number_at = [&](std::size_t at) { return static_cast<std::uint16_t>(bytes[begin + at] << 8 | bytes[begin + at + 1]); };
    if (bytes[begin] == (v6_ ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && number_at(4) == identifier_) return number_at(6);
  }
}

}  // namespace hilcop
