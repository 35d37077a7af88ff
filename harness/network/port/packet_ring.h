// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "network/port/packet_socket.h"

namespace hilcop {

/// What passes an interface in both directions, for whoever records it: blocks of many packets that the kernel fills (TPACKET_V3), with its
/// own stamps. 64 MiB. Not thread-safe.
class PacketRing {
 public:
  /// Called for each packet: bytes (valid during the call), length on the wire, stamp.
  using Take = std::function<void(std::span<const std::byte> bytes, std::uint32_t length, UtcTime at)>;

  explicit PacketRing(const std::string& interface);
  /// Readable when a block is full, or kBlockWait after its first packet.
  int fd() const { return socket_.get(); }
  /// Hands out all packets of the next block; false: none is ready.
  bool take_block(const Take& take);
  /// Packets that the kernel has seen, and those of them that it had no room for. What it has seen and not dropped is handed out in time.
  struct Counts {
    std::uint64_t seen = 0, dropped = 0;
  };
  Counts counts();
  std::uint64_t handed_out() const { return handed_out_; }
  /// After POLLERR: the interface went down or away. Returns its errno.
  int take_error() const;

  static constexpr std::chrono::milliseconds kBlockWait{20};

 private:
  UniqueFd socket_;
  RingMemory memory_;
  std::vector<std::byte> tagged_;
  std::size_t at_ = 0;
  Counts counts_;
  std::uint64_t handed_out_ = 0;
};

}  // namespace hilcop
