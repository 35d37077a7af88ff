// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/clock.h"

namespace hilcop {

/// What the first bytes of a packet are (https://www.tcpdump.org/linktypes.html); other numbers occur.
enum class LinkType : std::uint16_t { Ethernet = 1, RawIp = 101, UsbLinux = 220 };

/// As it came from the wire: `bytes` may be fewer than its `length` there. They live as long as whoever gave them says.
struct Packet {
  UtcTime at;
  std::span<const std::byte> bytes;
  std::uint32_t length = 0;
  std::string comment;  // empty: none
};

/// Of one interface over a whole capture, as its kernel counted.
struct CaptureCounts {
  std::uint64_t received = 0, dropped = 0;
};

}  // namespace hilcop
