// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace hilcop {

/// What one interface has carried and lost, as the kernel counts.
struct LinkCounts {
  std::uint64_t rx_packets = 0, tx_packets = 0, rx_dropped = 0, tx_dropped = 0;
  std::uint64_t rx_lost = 0;  // that the hardware had no room for, or that came broken (linux/if_link.h); some drivers count one twice
};

/// Interfaces, addresses and neighbours of the network namespace that it was made in, over rtnetlink(7). Each call asks the kernel and is
/// answered at once. Throws Error naming the interface. Not thread-safe.
class Links {
 public:
  Links();
  ~Links();
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  void set_up(const std::string& name, bool up);
  /// "02:00:00:00:00:01"; while it is down.
  void set_mac(const std::string& name, const std::string& mac);
  void set_queue_length(const std::string& name, unsigned packets);
  /// ARP there is for the address that the interface itself has, and for no other of this host.
  void set_arp_for_own(const std::string& name);
  /// No IPv6 address is made there by itself, and so nothing is said with one. While it is down.
  void set_without_ipv6(const std::string& name);
  /// This host says nothing there by itself (no address of its own there, no answer to ARP): for a port whose traffic is somebody else's.
  /// While it is down; an interface that leaves the namespace is as it was.
  void set_silent(const std::string& name);
  /// How long to wait between two questions of who has an address (ARP, neighbour discovery; the kernel's own is a second): whoever waits
  /// for a device that boots is late by as much.
  void set_neighbour_retry(const std::string& name, std::chrono::milliseconds every);
  /// This host is no client of routers there: it asks for none, and takes no address of one (RFC 4861 6.3), so that what a capture shows of
  /// it is the bench's and not this kernel's. While it is down. False: this host does not let itself be told (/proc/sys is read-only), and
  /// asks.
  bool ignore_routers(const std::string& name);
  /// It says of itself that it is a router (RFC 4861 4.4, the R flag): a host that hears otherwise drops its route by it. It forwards
  /// nothing for that. Its link-local address, which advertisements must come from, is its own at once. While it is down. False: as of
  /// ignore_routers.
  bool be_router(const std::string& name);
  /// What the bridges of this namespace pass on, from one port to another, no filter of IP sees. Else the kernel, where br_netfilter is
  /// loaded (Docker does), gives each frame to them as if it were forwarded. Throws Error where it is loaded and cannot be told.
  void keep_bridged_from_filters();
  /// "10.77.0.1/24", "fd77::1/64": at once usable, without looking for duplicates.
  void add_address(const std::string& name, const std::string& address);
  /// IPv4 that comes in there may go on to elsewhere.
  void set_forwarding(const std::string& name, bool forwards);
  /// A switch of this host's own (bridge(8)), and `name` as one of its ports.
  void add_bridge(const std::string& name);
  void join(const std::string& name, const std::string& bridge);
  /// What ARP or neighbour discovery has of an address ("10.77.0.50"): its MAC, or nobody who said that it has it; Unknown where it was
  /// not asked yet, or is behind a router.
  enum class Neighbour { Unknown, Nobody, There };
  Neighbour neighbour(const std::string& name, const std::string& address);
  /// Whether something is plugged in at the other end; an interface that is down has none. nullopt: there is no such interface.
  std::optional<bool> has_carrier(const std::string& name);
  /// nullopt: there is no such interface.
  std::optional<LinkCounts> counts(const std::string& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilcop
