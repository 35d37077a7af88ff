// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "io/usb_devices.h"

namespace hilcop {

/// Which USB device is meant; what is empty counts for nothing.
struct UsbSelector {
  std::optional<int> vid, pid;
  std::string serial;
  std::string path;  // "1-1.2"

  bool matches(const UsbIdentity& id) const;
  std::string text() const;  // "USB device 16c0:05df serial A1B2 at 1-1.2"
};

/// "16c0:05df USBRelay2 serial A1B2 at 1-1.2": what errors call one.
std::string described(const UsbIdentity& id);
/// The only one that is meant. Opens nothing. Throws Error on `object`: NotFound, naming what is there; Config where several match,
/// naming each.
UsbDevice find_usb_device(const UsbSelector& selector, const std::string& object, const DeviceTree& tree = {});

/// The setup packet of a control transfer (USB 2.0, 9.3), without its length.
struct UsbRequest {
  std::uint8_t type = 0, request = 0;
  std::uint16_t value = 0, index = 0;
};

/// An open USB device. Each call ends by its deadline, as far as the kernel lets it. Not thread-safe. Throws Error: Disconnected when it
/// was unplugged, Protocol when it refuses (a stall), Timeout.
class UsbHandle {
 public:
  /// Sends nothing to the device. Throws Error on `object`: PermissionDenied, NotFound, Busy.
  static std::unique_ptr<UsbHandle> open(const UsbDevice& device, std::string object);
  virtual ~UsbHandle() = default;
  /// What errors call it.
  virtual const std::string& object() const = 0;
  /// At most `most` bytes; fewer if the device gave fewer.
  virtual std::vector<std::uint8_t> control_in(UsbRequest request, std::uint16_t most, Deadline deadline) = 0;
  virtual void control_out(UsbRequest request, std::span<const std::uint8_t> data, Deadline deadline) = 0;
  /// Takes the interface for this process alone, from the kernel's driver too, which gets it back when this is closed.
  virtual void claim(int interface) = 0;
  /// Resets its port and configures it again; the kernel alone says how long that takes. It may come back as another device.
  virtual void reset() = 0;
};

}  // namespace hilcop
