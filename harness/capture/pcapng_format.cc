// SPDX-License-Identifier: Apache-2.0
// draft-ietf-opsawg-pcapng: sections of blocks, each with its length at both ends.
#include <algorithm>
#include <limits>

#include "capture/capture_format.h"
#include "capture/pcapng_blocks.h"

namespace hilcop {

using namespace pcapng;

namespace {

constexpr std::size_t kFrame = 12;  // of a block: its type, and its length twice
// Of what is kept in memory; a bench has one interface for each DUT.
constexpr std::size_t kMostTlsSecrets = 64u << 20, kMostInterfaces = 4096, kMostComments = 10'000, kMostDamage = 1000;

// A stamp of so many units of an interface as nanoseconds; the ends of what can be told where it lies beyond.
struct TimeScale {
  std::uint8_t resolution = 6;  // option 9: a power of ten, or with the highest bit set of two
  std::int64_t offset_s = 0;

  UtcTime time(std::uint64_t stamp) const {
    const unsigned power = resolution & 0x7f;
    __extension__ typedef __int128 Wide;
    Wide ns = stamp;
    if ((resolution & 0x80) != 0) {
      ns = power > 120 ? 0 : (power >= 64 ? Wide{0} : ns * 1'000'000'000 >> power);
    } else {
      for (unsigned i = power; i < 9; ++i) ns *= 10;
      for (unsigned i = 9; i < power && ns != 0; ++i) ns /= 10;
    }
    ns += Wide{offset_s} * 1'000'000'000;
    constexpr Wide kLeast = std::numeric_limits<std::int64_t>::min(), kMost = std::numeric_limits<std::int64_t>::max();
    return UtcTime(Nanoseconds(static_cast<std::int64_t>(std::clamp(ns, kLeast, kMost))));
  }
};

class PcapngFormat final : public CaptureReader::Format {
 public:
  explicit PcapngFormat(CaptureFile opened) : Format(std::move(opened)) {}

  std::optional<CapturedPacket> next() override {
    while (!over_) {
      const auto at = file.offset();
      const auto head = file.peek(kFrame);
      if (head.empty()) return std::nullopt;
      if (head.size() < kFrame) return ends_at(at, "the file ends within a block");
      if (ByteOrder().u32(head, 0) == kSection && !section(head)) return ends_at(at, "a section of neither byte order");
      const auto type = order_.u32(head, 0), length = order_.u32(head, 4);
      if (length < kFrame || length % 4 != 0 || length > kMostInOnePiece)
        return ends_at(at, fmt::format("a block of {} bytes; the rest cannot be read", length));
      const auto whole = file.peek(length);
      if (whole.size() < length) return ends_at(at, "the file ends within a block");
      if (order_.u32(whole, length - 4) != length) return ends_at(at, "a block whose length is not the same at both ends");
      file.skip(length);
      if (auto packet = block(type, whole.subspan(8, length - kFrame), at + 8)) return packet;
    }
    return std::nullopt;
  }

 private:
  using Bytes = std::span<const std::byte>;

  bool section(Bytes head) {
    for (const bool big : {false, true})
      if (ByteOrder(big).u32(head, 8) == kByteOrder) {
        order_ = ByteOrder(big);
        first_ = interfaces.size();  // its interfaces are counted anew
        return true;
      }
    return false;
  }

  std::optional<CapturedPacket> block(std::uint32_t type, Bytes body, std::uint64_t at) {
    switch (type) {
      case kPacket:
      case kObsoletePacket:
        return packet(type, body, at);
      case kSimplePacket:
        return simple_packet(body, at);
      case kInterface:
        if (interfaces.size() >= kMostInterfaces) return ends_at(at, "more interfaces than any bench has; the rest is not read");
        add_interface(body, at);
        break;
      case kStatistics:
        statistics(body, at);
        break;
      case kSecrets:
        secrets(body, at);
        break;
      case kSection:
        if (body.size() >= 16) each_option(body.subspan(16), at, [this](std::uint16_t code, Bytes value) { comment(code, value); });
        break;
      case kNames:
        break;
      default:
        ++unknown_blocks;
    }
    return std::nullopt;
  }

  std::optional<CapturedPacket> packet(std::uint32_t type, Bytes body, std::uint64_t at) {
    if (body.size() < 20) return wrong(at, "a packet's block is too short");
    const std::size_t number = first_ + (type == kPacket ? order_.u32(body, 0) : order_.u16(body, 0));
    const auto kept = order_.u32(body, 12);
    if (number >= interfaces.size()) return wrong(at, "a packet of an interface that is not there");
    if (kept > body.size() - 20) return wrong(at, "a packet is longer than its block");
    CapturedPacket made;
    made.at = scales_[number].time(std::uint64_t{order_.u32(body, 4)} << 32 | order_.u32(body, 8));
    made.bytes = body.subspan(20, kept);
    made.length = std::max(order_.u32(body, 16), kept);
    made.frame = ++frames;
    made.offset = at + 20;
    made.interface = number;
    each_option(body.subspan(std::min<std::size_t>(20 + (std::size_t{kept} + 3) / 4 * 4, body.size())), at,
                [&](std::uint16_t code, Bytes value) {
                  if (code != kComment) return;
                  if (!made.comment.empty()) made.comment += '\n';
                  made.comment.append(reinterpret_cast<const char*>(value.data()), value.size());
                });
    return made;
  }

  // It has no stamp and no number: it is of the section's first interface.
  std::optional<CapturedPacket> simple_packet(Bytes body, std::uint64_t at) {
    if (body.size() < 4) return wrong(at, "a packet's block is too short");
    if (first_ >= interfaces.size()) return wrong(at, "a packet of an interface that is not there");
    CapturedPacket made;
    made.length = order_.u32(body, 0);
    const auto snap = interfaces[first_].snap_length;
    const std::size_t kept = snap == 0 ? made.length : std::min(snap, made.length);
    if (kept > body.size() - 4) return wrong(at, "a packet is longer than its block");
    made.bytes = body.subspan(4, kept);
    made.frame = ++frames;
    made.offset = at + 4;
    made.interface = first_;
    return made;
  }

  void add_interface(Bytes body, std::uint64_t at) {
    CaptureInterface made;
    TimeScale scale;
    if (body.size() < 8) {
      wrong(at, "an interface's block is too short");
    } else {
      made.type = static_cast<LinkType>(order_.u16(body, 0));
      made.snap_length = order_.u32(body, 4);
      each_option(body.subspan(8), at, [&](std::uint16_t code, Bytes value) {
        if (code == kInterfaceName) made.name.assign(reinterpret_cast<const char*>(value.data()), value.size());
        if (code == kInterfaceResolution && !value.empty()) scale.resolution = static_cast<std::uint8_t>(value[0]);
        if (code == kInterfaceOffset && value.size() == 8) scale.offset_s = static_cast<std::int64_t>(order_.u64(value, 0));
      });
    }
    interfaces.push_back(std::move(made));
    scales_.push_back(scale);
    counts.emplace_back();
  }

  void statistics(Bytes body, std::uint64_t at) {
    const std::size_t number = body.size() < 12 ? interfaces.size() : first_ + order_.u32(body, 0);
    if (number >= interfaces.size()) {
      wrong(at, "statistics of an interface that is not there");
      return;
    }
    CaptureCounts found;
    bool both[2] = {false, false};
    each_option(body.subspan(12), at, [&](std::uint16_t code, Bytes value) {
      comment(code, value);
      if (value.size() != 8) return;
      if (code == kStatisticsReceived) found.received = order_.u64(value, 0), both[0] = true;
      if (code == kStatisticsDropped) found.dropped = order_.u64(value, 0), both[1] = true;
    });
    if (both[0] && both[1]) counts[number] = found;  // without the losses nothing is known of them
  }

  void secrets(Bytes body, std::uint64_t at) {
    if (body.size() < 8 || order_.u32(body, 4) > body.size() - 8) {
      wrong(at, "secrets are longer than their block");
      return;
    }
    if (order_.u32(body, 0) != kTlsKeyLog) {
      ++unknown_blocks;
      return;
    }
    const auto lines = body.subspan(8, order_.u32(body, 4));
    if (tls_secrets.size() + lines.size() > kMostTlsSecrets) {
      wrong(at, "more secrets than are kept");
      return;
    }
    tls_secrets.append(reinterpret_cast<const char*>(lines.data()), lines.size());
  }

  void comment(std::uint16_t code, Bytes value) {
    if (code == kComment && comments.size() < kMostComments)
      comments.emplace_back(reinterpret_cast<const char*>(value.data()), value.size());
  }

  template <class Each>
  void each_option(Bytes options, std::uint64_t at, const Each& each) {
    while (options.size() >= 4) {
      const auto code = order_.u16(options, 0);
      const std::size_t size = order_.u16(options, 2);
      if (code == kOptionsEnd) return;
      if (size > options.size() - 4) {
        wrong(at, "an option is longer than its block");
        return;
      }
      each(code, options.subspan(4, size));
      options = options.subspan(std::min(options.size(), 4 + (size + 3) / 4 * 4));
    }
  }

  // This block alone is lost: its length was right.
  std::nullopt_t wrong(std::uint64_t at, const char* what) {
    if (damage.size() < kMostDamage) damage.push_back(fmt::format("at byte {}: {}", at, what));
    return std::nullopt;
  }

  ByteOrder order_;
  std::size_t first_ = 0;  // interface of this section
  std::vector<TimeScale> scales_;
};

}  // namespace

std::unique_ptr<CaptureReader::Format> open_pcapng(CaptureFile& file) {
  const auto head = file.peek(kFrame);
  if (head.size() < kFrame || ByteOrder().u32(head, 0) != kSection) return nullptr;
  return std::make_unique<PcapngFormat>(std::move(file));
}

}  // namespace hilcop
