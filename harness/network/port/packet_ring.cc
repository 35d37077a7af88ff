// SPDX-License-Identifier: Apache-2.0
#include "network/port/packet_ring.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <atomic>
#include <utility>

namespace hilcop {

namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20, kBlocks = 64, kLongestFrame = std::size_t{1} << 17;

tpacket_req3 blocks() {
  tpacket_req3 request{};
  request.tp_block_size = kBlock;
  request.tp_block_nr = kBlocks;
  request.tp_frame_size = 2048;  // V3 packs frames closely; the kernel asks for a number all the same
  request.tp_frame_nr = kBlock * kBlocks / 2048;
  request.tp_retire_blk_tov = static_cast<unsigned>(PacketRing::kBlockWait.count());
  return request;
}

const tpacket_req3 kBlockRequest = blocks();

}  // namespace

PacketRing::PacketRing(std::string interface, std::function<std::uint64_t()> lost_before)
    : interface_(std::move(interface)),
      lost_before_(std::move(lost_before)),
      socket_(make_packet_socket(interface_)),
      memory_(socket_.get(), TPACKET_V3, &kBlockRequest, sizeof kBlockRequest, kBlock * kBlocks, interface_),
      tagged_(kLongestFrame) {
  bind_to_port(socket_.get(), interface_);
}

bool PacketRing::take_block(const Take& take) {
  auto& block = *reinterpret_cast<tpacket_block_desc*>(memory_.data() + at_ * kBlock);
  const std::atomic_ref<std::uint32_t> status(block.hdr.bh1.block_status);
  if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return false;
  const std::byte* at = reinterpret_cast<const std::byte*>(&block) + block.hdr.bh1.offset_to_first_pkt;
  for (std::uint32_t i = 0; i < block.hdr.bh1.num_pkts; ++i) {
    const auto& packet = *reinterpret_cast<const tpacket3_hdr*>(at);
    std::span<const std::byte> bytes(at + packet.tp_mac, packet.tp_snaplen);
    std::uint32_t length = packet.tp_len;
    if ((packet.tp_status & TP_STATUS_VLAN_VALID) != 0 && bytes.size() + 4 <= tagged_.size()) {
      const bool told = (packet.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
      bytes = with_vlan_tag(bytes, told ? packet.hv1.tp_vlan_tpid : std::uint16_t{0}, static_cast<std::uint16_t>(packet.hv1.tp_vlan_tci),
                            tagged_);
      length += 4;
    }
    take(bytes, length, UtcTime(std::chrono::seconds(packet.tp_sec) + Nanoseconds(packet.tp_nsec)));
    at += packet.tp_next_offset;
  }
  fetched_ += block.hdr.bh1.num_pkts;
  status.store(TP_STATUS_KERNEL, std::memory_order_release);
  at_ = (at_ + 1) % kBlocks;
  return true;
}

PacketRing::Counts PacketRing::counts() {
  tpacket_stats_v3 stats{};
  socklen_t size = sizeof stats;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0) {  // since the last time it was asked
    counts_.seen += stats.tp_packets;
    counts_.dropped += stats.tp_drops;
  }
  const auto lost = lost_before_ ? lost_before_() : 0;
  return {counts_.seen + lost, counts_.dropped + lost};
}

int PacketRing::take_error() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace hilcop
