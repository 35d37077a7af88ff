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
};

/// Interfaces, addresses and routes of the network namespace that it was made in, over rtnetlink(7). Each call asks the kernel and is
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
  /// This host says nothing there by itself (no neighbour discovery, no ARP): for a port whose traffic is somebody else's. While it is
  /// down.
  void set_silent(const std::string& name);
  /// How long to wait between two questions of who has an address (ARP, neighbour discovery; the kernel's own is a second): whoever waits
  /// for a device that boots is late by as much.
  void set_neighbour_retry(const std::string& name, std::chrono::milliseconds every);
  /// This host is no client of routers there: it asks for none, and takes no address of one (RFC 4861 6.3), so that what a capture shows of
  /// it is the bench's and not this kernel's. While it is down. False: this host does not let itself be told (/proc/sys is read-only), and
  /// asks.
  bool ignore_routers(const std::string& name);
  /// "10.77.0.1/24", "fd77::1/64": at once usable, without looking for duplicates.
  void add_address(const std::string& name, const std::string& address);
  /// All that comes in at this interface for an address that no other route has is for this host itself: whatever address the sender
  /// meant, a socket with IP_TRANSPARENT gets it. IPv4 and IPv6.
  void take_all_from(const std::string& name);
  /// What ARP or neighbour discovery has of an address ("10.77.0.50"): its MAC, or nobody who said that it has it; Unknown where it was
  /// not asked yet, or is behind a router.
  enum class Neighbour { Unknown, Nobody, There };
  Neighbour neighbour(const std::string& name, const std::string& address);
  /// nullopt: there is no such interface.
  std::optional<LinkCounts> counts(const std::string& name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilcop
