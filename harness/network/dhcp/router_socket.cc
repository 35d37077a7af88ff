// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/router_socket.h"

#include <fcntl.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hilcop {
namespace {

constexpr int kMostRouterErrors = 100;

}  // namespace

RouterSocket::RouterSocket(UniqueFd socket, unsigned interface, const std::string& object)
    : object_(object), interface_(interface), socket_(std::move(socket)) {
  int protocol = 0, family = 0;
  socklen_t size = sizeof protocol;
  if (::getsockopt(fd(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0 ||
      ::getsockopt(fd(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || protocol != IPPROTO_ICMPV6 || family != AF_INET6)
    throw Error(ErrorKind::Config, object_, "was given what is no ICMPv6 socket", "hand it a raw one");
  ::fcntl(fd(), F_SETFD, FD_CLOEXEC);
  ::fcntl(fd(), F_SETFL, ::fcntl(fd(), F_GETFL) | O_NONBLOCK);
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
  const int hops = 255, on = 1, number = static_cast<int>(interface);
  const ipv6_mreq all_routers{Ipv6::of("ff02::2").value, interface};
  set(IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
  set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
  set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
  set(IPPROTO_IPV6, IPV6_MULTICAST_IF, &number, sizeof number);
  set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on);
  set(IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  set(IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &all_routers, sizeof all_routers);
}

void RouterSocket::set(int level, int option, const void* value, unsigned size) const {
  if (::setsockopt(fd(), level, option, value, size) != 0) throw error_from_errno(errno, object_, "cannot set up its socket");
}

std::optional<RouterDatagram> RouterSocket::receive() {
  while (!failure_) {
    alignas(cmsghdr) char control[256];
    sockaddr_in6 from{};
    iovec into{buffer_.data(), buffer_.size()};
    msghdr head{};
    head.msg_name = &from;
    head.msg_namelen = sizeof from;
    head.msg_iov = &into;
    head.msg_iovlen = 1;
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    const auto n = ::recvmsg(fd(), &head, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (n < 0) {
      if (++errors_ >= kMostRouterErrors || errno == EBADF || errno == ENOTSOCK)
        failure_ = error_from_errno(errno, object_, "hears nothing any more");
      continue;
    }
    errors_ = 0;
    RouterDatagram datagram{{buffer_.data(), static_cast<std::size_t>(n)}, {from.sin6_addr}};
    in6_pktinfo info{};
    for (auto* part = CMSG_FIRSTHDR(&head); part != nullptr; part = CMSG_NXTHDR(&head, part)) {
      if (part->cmsg_level != IPPROTO_IPV6) continue;
      if (part->cmsg_type == IPV6_HOPLIMIT) std::memcpy(&datagram.hop_limit, CMSG_DATA(part), sizeof datagram.hop_limit);
      if (part->cmsg_type == IPV6_PKTINFO) std::memcpy(&info, CMSG_DATA(part), sizeof info);
    }
    if (info.ipi6_ifindex == interface_) return datagram;
  }
  return std::nullopt;
}

int RouterSocket::send(std::string_view packet, const Ipv6& to) const {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = to.value;
  address.sin6_scope_id = interface_;
  for (;;) {
    if (::sendto(fd(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 sizeof address) >= 0)
      return 0;
    if (errno != EINTR) return errno;
  }
}

}  // namespace hilcop
