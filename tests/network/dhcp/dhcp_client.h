// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "network/dhcp/dhcp_message.h"
#include "network/dhcp/dhcp_network.h"

namespace hilcop {

inline DhcpNetwork dhcp_network_of_test(const std::string& start = "10.77.0") {
  DhcpNetwork network;
  network.server = Ipv4::of(start + ".1");
  network.first = Ipv4::of(start + ".50");
  network.last = Ipv4::of(start + ".59");
  network.routers = {network.server};
  network.name_servers = {network.server, Ipv4::of(start + ".2")};
  network.time_servers = {Ipv4::of(start + ".3")};
  network.domain = "bench.example";
  return network;
}

/// What a client says. A value that makes messages of one device.
struct DhcpClient {
  std::string hardware{"\2\0\0\0\0\1", 6};
  std::uint32_t transaction = 0x3903f326;

  static DhcpClient numbered(unsigned number) {
    DhcpClient client;
    client.hardware[4] = static_cast<char>(number >> 8);
    client.hardware[5] = static_cast<char>(number);
    return client;
  }
  DhcpMessage message(DhcpKind kind) const {
    DhcpMessage made;
    made.hardware = hardware;
    made.transaction = transaction;
    made.add(dhcp_option::kKind, std::string(1, static_cast<char>(kind)));
    return made;
  }
  DhcpMessage discover() const { return message(DhcpKind::Discover); }
  DhcpMessage select(Ipv4 address, Ipv4 server) const {
    auto made = reboot(address);
    made.add(dhcp_option::kServer, server.bytes());
    return made;
  }
  DhcpMessage reboot(Ipv4 address) const {
    auto made = message(DhcpKind::Request);
    made.add(dhcp_option::kRequestedAddress, address.bytes());
    return made;
  }
  DhcpMessage from(DhcpKind kind, Ipv4 address) const {
    auto made = message(kind);
    made.client = address;
    return made;
  }
  DhcpMessage decline(Ipv4 address) const {
    auto made = message(DhcpKind::Decline);
    made.add(dhcp_option::kRequestedAddress, address.bytes());
    return made;
  }
};

}  // namespace hilcop
