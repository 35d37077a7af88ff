// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "io/unique_fd.h"
#include "network/port/socket_address.h"

namespace hilcop {

/// Echo requests of ICMP (RFC 792) or ICMPv6 (RFC 4443) to one address. Never blocks. Throws Error{PermissionDenied}: needs CAP_NET_RAW,
/// which the owner of the network's namespace has there.
class EchoSocket {
 public:
  explicit EchoSocket(const SocketAddress& address);
  int fd() const { return socket_.get(); }
  /// False: it could not be sent, for there is no way there.
  bool send(std::uint16_t number);
  /// The number of an answer that has come; nullopt: none has.
  std::optional<std::uint16_t> receive();

 private:
  bool v6_;
  std::uint16_t identifier_;
  UniqueFd socket_;
};

}  // namespace hilcop
