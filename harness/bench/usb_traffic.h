// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "bench/usb_owners.h"
#include "capture/captures.h"

namespace hilcop {

/// What is recorded of what passes between this host and the USB devices of one DUT (UsbMonitor). What is known to be of another device is
/// left out; a device that has just come is recorded until it is known whose it is, so that nothing of its first words is missing.
/// Thread-safe.
class UsbTraffic {
 public:
  explicit UsbTraffic(std::string object) : object_(std::move(object)), captures_(object_) {}

  UsbOwners& owners() { return owners_; }
  void mark(const std::string& text) { captures_.mark(text); }

  /// From the return on. As Captures'; Error also where this host has no usbmon, or this user may not use it.
  void start(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring);
  nlohmann::json stop(const std::string& name);
  nlohmann::json sync(const std::string& name, Deadline deadline);
  /// All are stopped, and none is started any more.
  void close() { captures_.close(); }

 private:
  std::string object_;
  UsbOwners owners_;
  Captures captures_;  // the last: its threads ask for the owners
};

}  // namespace hilcop
