// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "capture/packet_source.h"
#include "network/port/packet_socket.h"

namespace hilcop {

/// What passes an interface in both directions, for whoever records it: blocks of many packets that the kernel fills (TPACKET_V3), with its
/// own stamps. 64 MiB. `lost_before`: so many were lost so far before they came to the kernel; they are counted as dropped.
class PacketRing final : public PacketSource {
 public:
  explicit PacketRing(std::string interface, std::function<std::uint64_t()> lost_before = {});
  const std::string& name() const override { return interface_; }
  LinkType link_type() const override { return LinkType::Ethernet; }
  /// Readable when a block is full, or kBlockWait after its first packet.
  int fd() const override { return socket_.get(); }
  /// All packets of a block.
  bool take_block(const Take& take) override;
  Counts counts() override;
  std::uint64_t fetched() const override { return fetched_; }
  int take_error() override;

  static constexpr std::chrono::milliseconds kBlockWait{20};

 private:
  std::string interface_;
  std::function<std::uint64_t()> lost_before_;
  UniqueFd socket_;
  RingMemory memory_;
  std::vector<std::byte> tagged_;
  std::size_t at_ = 0;
  Counts counts_;
  std::uint64_t fetched_ = 0;
};

}  // namespace hilcop
