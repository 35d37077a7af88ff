// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>

#include "io/service_thread.h"
#include "io/unique_fd.h"
#include "network/port/links.h"

namespace hilcop {

enum class Carrier { None, There, Gone };  // Gone: so is the interface

/// Tells when something is plugged into an interface, or pulled, as the kernel says it: a millisecond after. From a thread of its own,
/// until it is destroyed.
class CarrierWatch {
 public:
  /// `on_change` hears at once what it is now. It returns quickly, throws nothing. Throws Error.
  CarrierWatch(std::string interface, std::function<void(Carrier)> on_change);
  ~CarrierWatch() { thread_.end(); }
  CarrierWatch(const CarrierWatch&) = delete;
  CarrierWatch& operator=(const CarrierWatch&) = delete;

 private:
  void run();
  Carrier look();

  std::string interface_;
  std::function<void(Carrier)> on_change_;
  Links links_;
  UniqueFd news_;
  Carrier last_;
  ServiceThread thread_;  // the last: it uses the others
};

}  // namespace hilcop
