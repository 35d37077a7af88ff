// SPDX-License-Identifier: Apache-2.0
#include "network/scan/tcp_probe.h"

#include <poll.h>
#include <sys/socket.h>

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

}  // namespace

TcpProbe::TcpProbe(const SocketAddress& address) : socket_(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  if (!socket_) throw error_from_errno(errno, "scan of " + address_text(address), "no socket");
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (::connect(socket_.get(), address.get(), address.size) == 0)
    ended_ = 0;
  else if (errno != EINPROGRESS)
    ended_ = errno;
  if (ended_) state_of(*ended_);  // throws what is not the device's
}

std::optional<PortState> TcpProbe::outcome() {
  if (!ended_) {
    pollfd ready{socket_.get(), POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1) return std::nullopt;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    ended_ = error;
  }
  return state_of(*ended_);
}

PortState TcpProbe::state_of(int error) {
  switch (error) {
    case 0:
      return with_itself(socket_.get()) ? PortState::Closed : PortState::Open;
    case ECONNREFUSED:
    case ECONNRESET:
      return PortState::Closed;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:  // this host has no address that could go there
      unreachable_ = true;
      return PortState::Filtered;
    case ETIMEDOUT:
    case EACCES:  // administratively prohibited, RFC 1812 5.2.7.1
    case EPROTO:
      return PortState::Filtered;
    default:
      throw error_from_errno(error, "scan of the bench network", "a connection cannot be tried");
  }
}

}  // namespace hilcop
