// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

namespace hilcop {

/// Routes of the network namespace that it was made in, over rtnetlink(7). Each call is answered at once. Throws Error naming the
/// interface. Not thread-safe.
class Routes {
 public:
  Routes();
  ~Routes();
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  /// All that comes in at this interface for an address that no other route has is for this host itself: whatever address the sender
  /// meant, a socket with IP_TRANSPARENT gets it. IPv4 and IPv6.
  void take_all_from(const std::string& interface);
  /// An IPv4 address that take_all_from does not take: it goes where other routes lead.
  void leave_out(const std::string& address);
  void add_default(const std::string& interface, const std::string& gateway);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilcop
