// SPDX-License-Identifier: Apache-2.0
#include "network/scan/tcp_probe.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/error.h"

namespace hilcop {

const char* name_of(PortState state) {
  switch (state) {
    case PortState::Open:
      return "open";
    case PortState::Closed:
      return "closed";
    case PortState::Filtered:
      return "filtered";
  }
  return "";
}

namespace {

// Of this host's own address, a connection may meet its own local port, and is accepted by itself (simultaneous open, RFC 9293 3.5).
bool with_itself(int socket) {
  SocketAddress own, other;
  own.size = other.size = sizeof own.storage;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own.storage), &own.size) != 0) return false;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&other.storage), &other.size) != 0) return false;
  return port_of(own) == port_of(other) && address_text(own) == address_text(other);
}

// Whether it was refused by ICMP, a firewall's word, and not by a reset: RFC 1122 4.2.3.9 makes the same error of both.
bool refused_by_icmp(int socket) {
  std::array<char, 512> control{};
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_ERRQUEUE) < 0) return false;
  for (auto* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
    const bool about_errors = (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_RECVERR) ||
                              (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_RECVERR);
    if (!about_errors) continue;
    const auto origin = reinterpret_cast<const sock_extended_err*>(CMSG_DATA(head))->ee_origin;
    return origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6;
  }
  return false;
}

}  // namespace

TcpProbe::TcpProbe(const SocketAddress& address) : socket_(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  if (!socket_) throw error_from_errno(errno, "scan of " + address_text(address), "no socket");
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  const bool v6 = address.family() == AF_INET6;
  const int on = 1;
  ::setsockopt(socket_.get(), v6 ? static_cast<int>(IPPROTO_IPV6) : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
  if (::connect(socket_.get(), address.get(), address.size) == 0)
    ended_ = state_of(0);
  else if (errno != EINPROGRESS)
    ended_ = state_of(errno);  // throws what is not the device's
}

std::optional<PortState> TcpProbe::outcome() {
  if (!ended_) {
    pollfd ready{socket_.get(), POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    ended_ = state_of(error);
  }
  return ended_;
}

PortState TcpProbe::state_of(int error) {
  switch (error) {
    case 0:
      return with_itself(socket_.get()) ? PortState::Closed : PortState::Open;
    // The handshake was done: whoever accepts and goes away before we look was there (tcp_reset() of Linux says ECONNREFUSED before it).
    case ECONNRESET:
    case EPIPE:
      return PortState::Open;
    case ECONNREFUSED:
      return refused_by_icmp(socket_.get()) ? PortState::Filtered : PortState::Closed;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:  // this host has no address that could go there
      unreachable_ = true;
      return PortState::Filtered;
    case ETIMEDOUT:
    case EACCES:  // administratively prohibited, RFC 1812 5.2.7.1
    case EPROTO:
    case ENOPROTOOPT:  // protocol unreachable, RFC 792
    case ENONET:       // host isolated
      return PortState::Filtered;
    default:
      throw error_from_errno(error, "scan of the bench network", "a connection cannot be tried");
  }
}

}  // namespace hilcop
