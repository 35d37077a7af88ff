// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "capture/packet_source.h"
#include "io/unique_fd.h"

namespace hilcop {

/// One event of usbmon's binary ring: what a capture has of it.
struct UsbmonEvent {
  int bus = 0, device = 0;
  Packet packet;  // LINKTYPE_USB_LINUX_MMAPPED; its bytes are those of the ring
};
/// Of the one that begins there; nothing: the ring's end is filled up there, or it is torn. A packet that is shorter than its length lacks
/// data: what was too long, and what the kernel could not look at.
std::optional<UsbmonEvent> usbmon_event(std::span<const std::byte> ring);

/// What passes between this host and its USB devices, as Linux's usbmon shows it (Documentation/usb/usbmon.rst): each request with its
/// setup packet and what was sent, each completion with its status and what came, in order over all buses. Stamps are of whole
/// microseconds. Of a request's data the first 245,760 bytes at most are kept, and none that the kernel cannot look at (what a controller
/// maps for itself); how long it was is told.
class UsbMonitor final : public PacketSource {
 public:
  /// Whether what passes with that device of that bus is wanted; 0 is the address of a device that has none yet. Called by take_block().
  using Wanted = std::function<bool(int bus, int device)>;

  /// Throws Error on `object`: Unsupported where this kernel has no usbmon, PermissionDenied.
  UsbMonitor(Wanted wanted, const std::string& object, const std::filesystem::path& dev = "/dev");
  ~UsbMonitor() override;
  UsbMonitor(const UsbMonitor&) = delete;
  UsbMonitor& operator=(const UsbMonitor&) = delete;

  const std::string& name() const override { return name_; }
  LinkType link_type() const override { return LinkType::UsbLinux; }
  int fd() const override { return fd_.get(); }
  bool take_block(const Take& take) override;
  Counts counts() override;
  std::uint64_t fetched() const override { return fetched_; }
  int take_error() override { return 0; }

 private:
  std::string name_ = "usbmon0";
  Wanted wanted_;
  UniqueFd fd_;
  std::size_t size_ = 0;
  const std::byte* ring_ = nullptr;
  std::uint64_t fetched_ = 0, dropped_ = 0;
};

}  // namespace hilcop
