// SPDX-License-Identifier: Apache-2.0
#include "network/port/service_socket.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/in6.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <iterator>

#include "base/error.h"

namespace hilcop {

namespace {

constexpr int kBacklog = 512;

void require(bool done, const std::string& object, const char* what) {
  if (!done) throw error_from_errno(errno, object, what);
}

void set(int socket, int level, int option, const std::string& object) {
  const int on = 1;
  require(::setsockopt(socket, level, option, &on, sizeof on) == 0, object, "cannot be set up");
}

UniqueFd service(IpFamily family, int type, int port, const std::string& interface) {
  const std::string object = std::string(type == SOCK_DGRAM ? "UDP" : "TCP") + " port " + std::to_string(port) + " of the bench network";
  const bool v4 = family == IpFamily::V4;
  UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  require(static_cast<bool>(fd), object, "cannot be made");
  set(fd.get(), SOL_SOCKET, SO_REUSEADDR, object);
  if (v4) {
    set(fd.get(), IPPROTO_IP, IP_TRANSPARENT, object);
    set(fd.get(), IPPROTO_IP, IP_PKTINFO, object);
  } else {
    set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, object);
    set(fd.get(), IPPROTO_IPV6, IPV6_TRANSPARENT, object);
    set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, object);
  }
  require(::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size())) == 0, object,
          "cannot be bound to its interface");
  sockaddr_in address4{};
  address4.sin_family = AF_INET;
  address4.sin_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in6 address6{};
  address6.sin6_family = AF_INET6;
  address6.sin6_port = address4.sin_port;
  const auto* address = v4 ? reinterpret_cast<const sockaddr*>(&address4) : reinterpret_cast<const sockaddr*>(&address6);
  require(::bind(fd.get(), address, v4 ? sizeof address4 : sizeof address6) == 0, object, "cannot be had");
  if (type == SOCK_STREAM) require(::listen(fd.get(), kBacklog) == 0, object, "cannot be listened at");
  return fd;
}

}  // namespace

UniqueFd udp_service(IpFamily family, int port, const std::string& interface) {
  auto fd = service(family, SOCK_DGRAM, port, interface);
  if (family == IpFamily::V4) set(fd.get(), SOL_SOCKET, SO_BROADCAST, "UDP port " + std::to_string(port) + " of the bench network");
  return fd;
}

UniqueFd tcp_service(IpFamily family, int port, const std::string& interface) { return service(family, SOCK_STREAM, port, interface); }

int local_port(int socket) {
  sockaddr_in6 address{};  // of IPv4 the port stands at the same place
  socklen_t size = sizeof address;
  require(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0, "bench network", "its own port is not told");
  return ntohs(address.sin6_port);
}

UniqueFd udp_ear(IpFamily family, const std::string& interface) {
  const std::string object = "UDP of the bench network";
  const bool v4 = family == IpFamily::V4;
  UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
  require(static_cast<bool>(fd), object, "cannot be heard");
  // Behind the UDP header: a QUIC long header's first two bits (RFC 9000 17.2), or a DTLS handshake record of version 0xfexx (RFC
  // 6347 4.1).
  constexpr std::uint32_t kFirst = 8, kAccept = 0x40000;
  sock_filter steps[] = {
      v4 ? sock_filter BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0) : sock_filter BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, kFirst),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xc0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc0, 3, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_IND, kFirst),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x16fe, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, kAccept),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(steps)), steps};
  require(::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0, object, "cannot be looked through");
  if (!v4) set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, object);
  set(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, object);
  require(::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size())) == 0, object,
          "cannot be bound to its interface");
  return fd;
}

UniqueFd unreachable_socket(IpFamily family, const std::string& interface) {
  const std::string object = "ICMP of the bench network";
  const bool v4 = family == IpFamily::V4;
  UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, v4 ? int{IPPROTO_RAW} : int{IPPROTO_ICMPV6}));
  require(static_cast<bool>(fd), object, "cannot be made");
  if (v4) {
    set(fd.get(), IPPROTO_IP, IP_TRANSPARENT, object);
  } else {
    set(fd.get(), IPPROTO_IPV6, IPV6_TRANSPARENT, object);
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    require(::setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0, object, "cannot be set up");
  }
  require(::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size())) == 0, object,
          "cannot be bound to its interface");
  return fd;
}

UniqueFd router_socket(const std::string& interface) {
  const std::string object = "ICMPv6 of the bench network";
  UniqueFd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  require(static_cast<bool>(fd), object, "cannot be made");
  require(::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size())) == 0, object,
          "cannot be bound to its interface");
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
  require(::setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0, object, "cannot be set up");
  return fd;
}

}  // namespace hilcop
