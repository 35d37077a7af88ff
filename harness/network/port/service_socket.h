// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "io/unique_fd.h"

namespace hilcop {

enum class IpFamily { V4, V6 };

/// Sockets that serve what comes in at one interface, whatever address it was meant for (IP_TRANSPARENT): a datagram's is told beside it
/// (IP_PKTINFO), a connection's is its local address. Non-blocking, close-on-exec. Throw Error naming the port and who has it.
UniqueFd udp_service(IpFamily family, int port, const std::string& interface);
/// Listening; at a port that is free where it is 0.
UniqueFd tcp_service(IpFamily family, int port, const std::string& interface);
int local_port(int socket);
/// Hears each UDP datagram that comes in there for this host whose first bytes may be QUIC's or DTLS's, beside who gets it (raw(7)): IPv4
/// with its IP header, IPv6 without and its destination told beside (IPV6_PKTINFO). What it lost is too
/// (SO_RXQ_OVFL).
UniqueFd udp_ear(IpFamily family, const std::string& interface);
/// Sends ICMP (IPv4: with its IP header; IPv6: without) there from whatever address it says; hears nothing.
UniqueFd unreachable_socket(IpFamily family, const std::string& interface);
/// ICMPv6 at one interface, for router solicitations (RFC 4861) alone.
UniqueFd router_socket(const std::string& interface);

}  // namespace hilcop
