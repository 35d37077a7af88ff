// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "io/usb_devices.h"

namespace hilcop {

/// Whose the USB devices of this host are, by their numbers, so that what passes on USB can be told apart. Thread-safe.
class UsbOwners {
 public:
  /// Unknown: it may yet turn out to be the DUT's.
  enum class Whose { Dut, Other, Unknown };
  using Judge = std::function<Whose(const UsbIdentity& id, bool first)>;
  /// What passed with another's device may be looked at so long after that has gone. The kernel hands numbers out in a circle of 127.
  static constexpr std::chrono::seconds kRemembered{10};

  explicit UsbOwners(Clock& clock = real_clock()) : clock_(clock) {}

  /// `first`: it was there before anybody looked.
  void arrived(const UsbIdentity& id, bool first, Whose whose);
  void left(const UsbIdentity& id);
  /// Where more is known of the DUT's socket now.
  void judge_again(const Judge& judge);
  /// All but what is known to be another's. Device 0 is one that has no number yet.
  bool may_be_of_dut(int bus, int device) const;
  /// "device 5 of bus 1 is 0403:6001 ... at 1-1.2"
  std::vector<std::string> of_dut() const;
  static std::string who_is(const UsbIdentity& id);

 private:
  struct Device {
    UsbIdentity id;
    bool first;
    Whose whose;
    std::optional<SteadyTime> left;
  };
  Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::pair<int, int>, Device> devices_;  // by bus and number
};

}  // namespace hilcop
