// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "capture/packet.h"

namespace hilcop {

/// Where packets come from for whoever records them: a network interface (PacketRing), the USB of this host (UsbMonitor). It listens from
/// its constructor on, into a buffer of the kernel's. Not thread-safe.
class PacketSource {
 public:
  /// Called for each packet: bytes (valid during the call), length on the wire, stamp.
  using Take = std::function<void(std::span<const std::byte> bytes, std::uint32_t length, UtcTime at)>;
  /// What the kernel has seen, and what of it it had no room for. The rest is fetched in time.
  struct Counts {
    std::uint64_t seen = 0, dropped = 0;
  };

  virtual ~PacketSource() = default;
  /// As a capture names it.
  virtual const std::string& name() const = 0;
  virtual LinkType link_type() const = 0;
  /// Readable when there is something to take.
  virtual int fd() const = 0;
  /// Hands out what is next, many packets at once; false: nothing is ready.
  virtual bool take_block(const Take& take) = 0;
  virtual Counts counts() = 0;
  /// So many of those seen and not dropped have been handed out, or passed over as none of the DUT's.
  virtual std::uint64_t fetched() const = 0;
  /// After POLLERR: what it was listening at went away, or down. Returns its errno.
  virtual int take_error() = 0;
};

}  // namespace hilcop
