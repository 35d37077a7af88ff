// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/unique_fd.h"
#include "network/dhcp/dhcp_responder.h"

namespace hilcop {

struct DhcpDatagram {
  std::string_view bytes;  // live until the next receive()
  std::size_t size = 0;    // as it was sent; more than `bytes` where it was longer than kMost
  Ipv4 source;
  std::optional<Ipv4> sent_to;  // of this host's addresses; nullopt: broadcast
};

struct DhcpSent {
  std::string way;      // see DhcpAnswered
  std::string failure;  // "": sent
};

/// A DHCP server's UDP socket. Never blocks. Not thread-safe.
class DhcpSocket {
 public:
  /// Takes over a bound socket of IPv4, of whatever network namespace; what it sends goes to the interface that it is bound to
  /// (SO_BINDTODEVICE). Throws Error{Config} on `object`: it is none.
  DhcpSocket(UniqueFd socket, const std::string& object);
  int fd() const { return socket_.get(); }
  /// nullopt: none is there now, or failure().
  std::optional<DhcpDatagram> receive();
  /// To a client without an address (RFC 2131 4.1) it makes an entry in the interface's ARP table (SIOCSARP; CAP_NET_ADMIN over the
  /// namespace) and sends to the address; where that cannot be, it broadcasts, which every client has to take as well. The source is
  /// `to.from` where this host has that address, else the kernel's choice.
  DhcpSent send(std::string_view packet, const DhcpDestination& to);
  /// What the kernel had no room for.
  std::uint32_t lost() const { return lost_; }
  /// Why nothing can be received any more.
  const std::optional<Error>& failure() const { return failure_; }

  static constexpr std::size_t kMost = 4096;  // longer ones are cut

 private:
  bool enter_in_arp(const DhcpDestination& to) const;
  int send_to(std::string_view packet, Ipv4 address, Ipv4 from) const;

  std::string object_, interface_, buffer_;
  UniqueFd socket_;
  int errors_ = 0;
  std::uint32_t lost_ = 0;
  std::optional<Error> failure_;
};

}  // namespace hilcop
