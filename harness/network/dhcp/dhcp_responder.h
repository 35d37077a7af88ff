// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "network/dhcp/dhcp_leases.h"
#include "network/dhcp/dhcp_message.h"
#include "network/dhcp/dhcp_network.h"

namespace hilcop {

/// Where a reply goes (RFC 2131 4.1).
struct DhcpDestination {
  Ipv4 address;          // 255.255.255.255: broadcast
  std::string hardware;  // six bytes: the client does not answer ARP for `address` yet; "": it does, or it is a broadcast
  Ipv4 from;             // the server's identifier: the source, where this host has that address
};

struct DhcpReply {
  DhcpMessage message;
  DhcpDestination to;
};

/// What one message is answered with.
struct DhcpDecision {
  std::vector<DhcpReply> replies;
  std::string situation;            // of a REQUEST: "selecting", "rebooting", "renewing", "rebinding" (RFC 2131 4.3.2)
  std::string reason;               // why there is no answer, or a NAK
  std::vector<std::string> faults;  // names of DhcpFaults that made the answer another one
};

/// What a DHCP server says to what clients say (RFC 2131 4.3), without a socket and a clock: the one authority of its network, as a home
/// router is. A client is known by its hardware address and not by its client identifier, so that a boot loader and the system after it
/// have one address. Every option of the network is sent, asked for or not; a client identifier of up to 64 bytes comes back (RFC 6842).
/// Does not answer: BOOTP, relays, other hardware than Ethernet. Not thread-safe.
class DhcpResponder {
 public:
  /// Throws Error{Config} on `object`.
  DhcpResponder(DhcpNetwork network, std::string object);
  void set_faults(const DhcpFaults& faults);
  const DhcpFaults& faults() const { return faults_; }
  /// `sent_to`: the address of this host that it was sent to; nullopt: it was broadcast.
  DhcpDecision answer(const DhcpMessage& message, std::optional<Ipv4> sent_to, SteadyTime now);

 private:
  struct Served {  // a network with its leases
    explicit Served(const DhcpNetwork& of) : network(of), leases(of) {}
    DhcpNetwork network;
    DhcpLeases leases;
  };
  struct Asked;  // a message on its way to its answer
  Served& current() { return renewed_ ? *renewed_ : base_; }
  static void keep_or_make(std::unique_ptr<Served>& served, const std::optional<DhcpNetwork>& network);

  void discover(Asked& asked);
  void offer(Asked& asked, Served& by, bool second);
  void request(Asked& asked);
  void grant(Asked& asked, Served& by, Ipv4 address);
  void refuse(Asked& asked, const std::string& reason);
  void decline(Asked& asked);
  void release(Asked& asked);
  void inform(Asked& asked);
  void reply(Asked& asked, const DhcpNetwork& network, DhcpKind kind, Ipv4 yours);
  void add_options(Asked& asked, const DhcpNetwork& network, DhcpMessage& reply, bool lease);
  std::chrono::seconds lease_of(Asked& asked, const DhcpNetwork& network) const;

  std::string object_;
  Served base_;
  std::unique_ptr<Served> renewed_, second_;
  DhcpFaults faults_;
};

}  // namespace hilcop
