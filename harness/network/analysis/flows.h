// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "network/analysis/frame.h"
#include "network/analysis/observations.h"

namespace hilcop::analysis {

struct Traffic {
  std::uint64_t packets = 0, bytes = 0, payload = 0;  // bytes: whole frames as on the wire
};

struct FrameRun {
  std::uint64_t first = 0, last = 0;  // of the flow's frames that follow each other in the capture
};

/// All packets between two endpoints of one protocol.
struct Flow {
  static constexpr std::size_t kMostRuns = 64;
  Endpoint client, server;
  std::uint8_t protocol = 0;  // IANA's number: 6 TCP, 17 UDP, 1 and 58 ICMP
  UtcTime first, last;
  std::uint64_t first_frame = 0, last_frame = 0;
  std::vector<FrameRun> frames;  // the first kMostRuns
  bool frames_cut = false;
  Traffic from_client, from_server;
  std::string name;          // of the server, as it was asked for in the DNS before the flow began; empty: nobody asked
  std::string_view name_by;  // "dns"; "mdns": nobody asked, but it was said to all; empty: no name
  std::string sni, alpn;     // of TLS; alpn: what was chosen, else what was offered, joined by commas
  std::string certificate;   // the server's subject, up to TLS 1.2
  std::vector<std::string> certificate_names;
  std::string application;      // "http", "tls", ...; empty: not recognised; "mixed": not the same each time (its ports were used again)
  bool by_content = false;      // application: its bytes say so; else a port of its own, and bytes that do not speak against it
  std::uint64_t opaque = 0;     // bytes that are encrypted
  std::uint64_t gap_bytes = 0;  // bytes that the capture does not have
  std::uint64_t spoken = 0;     // TCP connections that said something, datagrams

  /// Of the next connection or datagram; empty: it is not recognised. What one of them was says nothing of another.
  void speaks(std::string_view what, bool content);
};

/// Flows with the same server name, else SNI, else first DNS name of the certificate, else address. Each way of knowing it is one of its
/// own: a device may write its maker's name into a hello to any address, which the DNS never gave it.
struct Destination {
  std::string name;
  std::string_view named_by;  // "dns", "mdns", "sni", "certificate"; empty: the name is an address
  std::set<IpAddress> addresses;
  std::set<std::string> applications;
  std::set<std::string> services;    // "443/tcp", "icmp"
  std::set<std::uint16_t> ports;     // of TCP and UDP
  std::vector<std::uint32_t> flows;  // indices
  Traffic to, from;                  // what clients sent there, and what came back
  UtcTime first, last;
};

struct KnownName {
  std::string name;     // empty: none
  std::string_view by;  // "dns" or "mdns"
};

/// Which names stood for which addresses, by answers to those who asked and, by multicast, to all. Who asked is known by its address, and
/// by its link address: a host asks over IPv4 and goes there over IPv6. (Behind a router all hosts have the router's; an answer to the
/// address itself comes first.) Bounded: the first kMost of each.
class NameTable {
 public:
  static constexpr std::size_t kMost = 65'536;
  /// `in`: the frame that brought it.
  void learn(const DnsMessage& message, const Frame& in);
  KnownName name_of(const IpAddress& client, const LinkAddress& client_link, const IpAddress& server) const;
  std::uint64_t not_kept() const { return not_kept_; }

 private:
  std::map<std::pair<IpAddress, IpAddress>, std::string> asked_;            // who asked, and the address
  std::map<std::pair<LinkAddress, IpAddress>, std::string> asked_on_link_;  // the same, where there are link addresses
  std::map<IpAddress, std::string> said_;                                   // by multicast
  std::uint64_t not_kept_ = 0;
};

class FlowTable {
 public:
  static constexpr std::size_t kMost = 200'000;

  /// Counts an IP frame. kNoFlow: there are kMost already, and this one is another (counted).
  std::uint32_t add(const Frame& frame, const NameTable& names);
  /// By its ends in either order; kNoFlow: there is none.
  std::uint32_t find(const FiveTuple& tuple) const;
  std::vector<Flow>& flows() { return flows_; }
  std::uint64_t not_kept() const { return not_kept_; }
  std::vector<Destination> destinations() const;  // most bytes sent there first

 private:
  std::unordered_map<FiveTuple, std::uint32_t, FiveTupleHash> index_;  // client first
  std::vector<Flow> flows_;
  std::uint64_t not_kept_ = 0;
};

}  // namespace hilcop::analysis
