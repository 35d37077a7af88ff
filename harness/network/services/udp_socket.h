// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/socket.h>

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/unique_fd.h"
#include "network/services/endpoint.h"

namespace hilcop::services {

/// Where a client had aimed at when the bench's rules redirected it here; nothing: it aimed at `local`. `fd` is the connection over TCP
/// (SO_ORIGINAL_DST can tell) and the server's socket over UDP (where only the rules' connection tracking can). None is needed where rules
/// of `tproxy` lead here instead and the socket has IP_TRANSPARENT and the very port that was aimed at: `local` is the target then, and
/// answers come from it. Called on the service's thread: does not block, does not throw.
using OriginalDestination = std::function<std::optional<Endpoint>(int fd, const Endpoint& client, const Endpoint& local)>;

/// What came in one datagram, and all that an answer from the very address that it was sent to needs.
struct Datagram {
  std::string_view bytes;  // live until the next receive()
  Endpoint client, local;

  sockaddr_storage from{};
  socklen_t from_size = 0;
  std::array<char, 16> source{};  // in6_pktinfo's or in_pktinfo's address
  int interface = 0;              // of an IPv6 link-local address
  int family = AF_UNSPEC;         // what `source` is of; AF_UNSPEC: the kernel did not say
};

/// A server's UDP socket. Never blocks. Not thread-safe.
class UdpSocket {
 public:
  /// Takes over a bound socket of IPv4 or IPv6, made in whatever network namespace. Throws Error{Config}: it is none.
  UdpSocket(UniqueFd fd, std::string object);
  int fd() const { return fd_.get(); }
  /// Nothing: none is there now, or failure().
  std::optional<Datagram> receive();
  /// To who sent `to`, from where that was sent to. 0, or the errno of why it was not sent.
  int send(const Datagram& to, std::string_view bytes);
  /// Why nothing can be received any more. It is not to be polled then.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  std::string object_;
  UniqueFd fd_;
  Endpoint bound_;
  std::string buffer_;
  int errors_ = 0;  // one after the other
  std::optional<Error> failure_;
};

/// For a descriptor that others made: close-on-exec and non-blocking. Throws Error{Config} unless it is a socket of `type`.
void adopt_socket(int fd, int type, const std::string& object);

}  // namespace hilcop::services
