// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/unique_fd.h"

namespace hilcop {

/// A raw socket at one interface (packet(7)), promiscuous: what passes there whole, VLAN tags apart. Nothing arrives at it before
/// bind_to_port, so that it can be set up first. Throw Error naming the interface and what it needs (CAP_NET_RAW).
UniqueFd make_packet_socket(const std::string& interface);
void bind_to_port(int socket, const std::string& interface);

/// Memory that a packet socket shares with the kernel; unmapped with this object.
class RingMemory {
 public:
  /// `version`: TPACKET_V2 or V3; `request`: its tpacket_req. Throws Error{Exhausted}.
  RingMemory(int socket, int version, const void* request, std::size_t request_size, std::size_t bytes, const std::string& interface);
  ~RingMemory();
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// The kernel takes a frame's VLAN tag out and tells it beside the frame: puts it back. `out` has at least 4 bytes more than the frame.
/// `protocol`: the tag's own, 0 where the kernel does not say (0x8100 then).
std::span<const std::byte> with_vlan_tag(std::span<const std::byte> frame, std::uint16_t protocol, std::uint16_t tag,
                                         std::span<std::byte> out);

}  // namespace hilcop
