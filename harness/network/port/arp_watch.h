// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "io/service_thread.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Hears who says at an interface that an IPv4 address is his (ARP, RFC 826: the sender of any message). From a thread of its own until it
/// is destroyed.
class ArpWatch {
 public:
  /// `on_claim`: "10.77.0.50", "02:00:00:00:00:50". It returns quickly, throws nothing. Throws Error.
  ArpWatch(const std::string& interface, std::function<void(const std::string& address, const std::string& mac)> on_claim);
  ~ArpWatch() { thread_.end(); }
  ArpWatch(const ArpWatch&) = delete;
  ArpWatch& operator=(const ArpWatch&) = delete;

 private:
  void run();

  std::function<void(const std::string&, const std::string&)> on_claim_;
  UniqueFd socket_;
  ServiceThread thread_;  // the last: it uses the others
};

}  // namespace hilcop
