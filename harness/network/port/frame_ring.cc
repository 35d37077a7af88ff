// SPDX-License-Identifier: Apache-2.0
#include "network/port/frame_ring.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <atomic>

namespace hilcop {

namespace {

constexpr std::size_t kSlot = 2048, kSlots = 8192, kSlotsInABlock = 32;

tpacket_req slots() {
  tpacket_req request{};
  request.tp_frame_size = kSlot;
  request.tp_frame_nr = kSlots;
  request.tp_block_size = kSlot * kSlotsInABlock;
  request.tp_block_nr = kSlots / kSlotsInABlock;
  return request;
}

const tpacket_req kRequest = slots();

// The kernel's and ours: a slot is whose its status says.
std::atomic_ref<std::uint32_t> status_of(tpacket2_hdr& slot) { return std::atomic_ref<std::uint32_t>(slot.tp_status); }

UniqueFd deaf_to_outgoing(UniqueFd socket) {
  const int on = 1;
  ::setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);  // else what is sent on would come back
  return socket;
}

}  // namespace

FrameRing::FrameRing(const std::string& interface)
    : socket_(deaf_to_outgoing(make_packet_socket(interface))),
      memory_(socket_.get(), TPACKET_V2, &kRequest, sizeof kRequest, kSlot * kSlots, interface),
      tagged_(kSlot + 4) {
  bind_to_port(socket_.get(), interface);
}

void FrameRing::give_back() {
  auto& slot = *reinterpret_cast<tpacket2_hdr*>(memory_.data() + at_ * kSlot);
  status_of(slot).store(TP_STATUS_KERNEL, std::memory_order_release);
  at_ = (at_ + 1) % kSlots;
  given_ = false;
}

std::span<const std::byte> FrameRing::next() {
  for (;;) {
    if (given_) give_back();
    auto& slot = *reinterpret_cast<tpacket2_hdr*>(memory_.data() + at_ * kSlot);
    if ((status_of(slot).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) return {};
    given_ = true;
    if (slot.tp_len > slot.tp_snaplen) {
      ++too_long_;
      continue;
    }
    const std::span<const std::byte> frame(reinterpret_cast<const std::byte*>(&slot) + slot.tp_mac, slot.tp_snaplen);
    if ((slot.tp_status & TP_STATUS_VLAN_VALID) == 0) return frame;
    return with_vlan_tag(frame, (slot.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? slot.tp_vlan_tpid : std::uint16_t{0}, slot.tp_vlan_tci,
                         tagged_);
  }
}

bool FrameRing::send(std::span<const std::byte> frame) const {
  return ::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT) == static_cast<ssize_t>(frame.size());
}

int FrameRing::take_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::uint64_t FrameRing::take_dropped() const {
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  return ::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0 ? stats.tp_drops : 0;
}

}  // namespace hilcop
