// SPDX-License-Identifier: Apache-2.0
// The older format (draft-ietf-opsawg-pcap): one interface, no comments, no counts.
#include <algorithm>

#include "capture/capture_format.h"

namespace hilcop {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d;
constexpr std::size_t kFileHead = 24, kPacketHead = 16;

class PcapFormat final : public CaptureReader::Format {
 public:
  PcapFormat(CaptureFile opened, ByteOrder order, std::int64_t unit_ns) : Format(std::move(opened)), order_(order), unit_ns_(unit_ns) {
    const auto head = file.peek(kFileHead);
    interfaces.push_back({"", static_cast<LinkType>(order_.u32(head, 20) & 0xffff), order_.u32(head, 16)});
    counts.emplace_back();
    file.skip(kFileHead);
  }

  std::optional<CapturedPacket> next() override {
    if (over_) return std::nullopt;
    const auto at = file.offset();
    const auto head = file.peek(kPacketHead);
    if (head.empty()) return std::nullopt;
    if (head.size() < kPacketHead) return ends_at(at, "the file ends within a packet's head");
    const auto seconds = order_.u32(head, 0), part = order_.u32(head, 4), kept = order_.u32(head, 8), length = order_.u32(head, 12);
    if (kept > kMostInOnePiece) return ends_at(at, fmt::format("a packet of {} bytes; the rest cannot be read", kept));
    const auto whole = file.peek(kPacketHead + kept);
    if (whole.size() < kPacketHead + kept) return ends_at(at, "the file ends within a packet");
    file.skip(kPacketHead + kept);
    CapturedPacket packet;
    packet.at = UtcTime(std::chrono::seconds(seconds) + Nanoseconds(part * unit_ns_));
    packet.bytes = whole.subspan(kPacketHead);
    packet.length = std::max(length, kept);
    packet.frame = ++frames;
    packet.offset = at + kPacketHead;
    return packet;
  }

 private:
  ByteOrder order_;
  std::int64_t unit_ns_;
};

}  // namespace

std::unique_ptr<CaptureReader::Format> open_pcap(CaptureFile& file) {
  const auto head = file.peek(kFileHead);
  if (head.size() < kFileHead) return nullptr;
  for (const bool big : {false, true}) {
    const ByteOrder order(big);
    if (order.u32(head, 0) == kMicroseconds) return std::make_unique<PcapFormat>(std::move(file), order, 1000);
    if (order.u32(head, 0) == kNanoseconds) return std::make_unique<PcapFormat>(std::move(file), order, 1);
  }
  return nullptr;
}

}  // namespace hilcop
