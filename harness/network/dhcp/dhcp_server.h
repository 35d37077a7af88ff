// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "io/unique_fd.h"
#include "network/dhcp/dhcp_network.h"
#include "network/dhcp/dhcp_report.h"
#include "network/dhcp/dhcp_socket.h"

namespace hilcop {

struct DhcpCounts {
  std::uint64_t received = 0, malformed = 0, replies = 0, not_sent = 0;
  std::uint64_t lost = 0;  // that the kernel had no room for: not seen, not told
};

/// A DHCPv4 server on one socket, with one thread, from when it is made until it is destroyed. What it says is DhcpResponder's; memory is
/// bounded whatever comes. Thread-safe.
class DhcpServer {
 public:
  /// Each message once, when its answers were sent (or held to be too many). On the server's thread, and for what waited still in the end
  /// on the destroying one. Must not throw, and return soon: nobody is answered meanwhile. May call the server.
  using Tell = std::function<void(const DhcpReport&)>;
  /// How a packet gets to a client; called on the server's thread.
  using Send = std::function<DhcpSent(std::string_view packet, const DhcpDestination& to)>;

  /// `socket`: of IPv4 UDP, bound to port 67 and to the interface, see DhcpSocket. Throws Error{Config, Exhausted} on `object`.
  DhcpServer(UniqueFd socket, const DhcpNetwork& network, Tell tell, const Clock& clock = real_clock(),
             const std::string& object = "DHCP server", Send send = {});
  ~DhcpServer();

  /// All of them, for what comes from now on; what is being answered at this moment, and what waits to be late, is answered as it was (the
  /// report says by which faults). Throws Error{Config}, and nothing is changed.
  void set_faults(const DhcpFaults& faults);
  DhcpFaults faults() const;
  DhcpCounts counts() const;
  /// Why it hears nobody any more (its interface is gone), if so.
  std::optional<Error> failure() const;

  static constexpr std::size_t kMostWaiting = 256;  // answers that are to be late

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilcop
