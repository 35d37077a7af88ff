// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/unique_fd.h"
#include "network/dhcp/router_advertisement.h"

namespace hilcop {

struct RouterDatagram {
  std::string_view bytes;  // live until the next receive()
  Ipv6 source;
  int hop_limit = -1;
};

/// A router's raw ICMPv6 socket at one interface: hears solicitations alone, and speaks with hop limit 255, which nothing from another
/// network has (RFC 4861 6.1). Never blocks. Not thread-safe.
class RouterSocket {
 public:
  /// Takes it over. Throws Error on `object`: it is none, the interface is not there.
  RouterSocket(UniqueFd socket, unsigned interface, const std::string& object);
  int fd() const { return socket_.get(); }
  /// nullopt: none is there now, or failure().
  std::optional<RouterDatagram> receive();
  /// 0, or the errno of why it was not sent.
  int send(std::string_view packet, const Ipv6& to) const;
  /// Why nothing can be received any more.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  void set(int level, int option, const void* value, unsigned size) const;

  std::string object_;
  unsigned interface_;
  std::array<char, 2048> buffer_{};
  UniqueFd socket_;
  int errors_ = 0;
  std::optional<Error> failure_;
};

}  // namespace hilcop
