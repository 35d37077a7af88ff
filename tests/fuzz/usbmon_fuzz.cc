// SPDX-License-Identifier: Apache-2.0
// Any bytes as events of usbmon's ring: each that is taken lies within it, and is no longer than it was on the bus.
#include <cstdlib>

#include "capture/usb_monitor.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::byte> ring(reinterpret_cast<const std::byte*>(data), size);
  while (const auto event = usbmon_event(ring)) {
    const auto bytes = event->packet.bytes;
    if (bytes.data() != ring.data() || bytes.size() > ring.size() || bytes.empty() || event->packet.length < bytes.size()) std::abort();
    ring = ring.subspan(bytes.size());
  }
  return 0;
}
