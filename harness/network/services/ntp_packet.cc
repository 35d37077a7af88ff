// SPDX-License-Identifier: Apache-2.0
#include "network/services/ntp_packet.h"

#include <fmt/format.h>

#include <utility>

namespace hilcop::services {
namespace {

constexpr std::size_t kPacketBytes = 48;
constexpr std::int64_t kFrom1900To1970 = 2'208'988'800;  // seconds

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return value;
}

void append_number(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) out += static_cast<char>(value >> (8 * i));
}

}  // namespace

NtpTime NtpTime::of(UtcTime utc, std::chrono::milliseconds ahead) {
  // Whole seconds apart: a nanosecond count of 64 bits does not go beyond 2262.
  const auto whole = std::chrono::floor<std::chrono::seconds>(utc);
  const auto whole_ahead = std::chrono::floor<std::chrono::seconds>(ahead);
  auto seconds = whole.time_since_epoch().count() + whole_ahead.count() + kFrom1900To1970;
  auto ns = (utc - whole).count() + Nanoseconds(ahead - whole_ahead).count();
  if (ns >= 1'000'000'000) ns -= 1'000'000'000, ++seconds;
  return {static_cast<std::uint64_t>(seconds) << 32 | (static_cast<std::uint64_t>(ns) << 32) / 1'000'000'000};
}

UtcTime NtpTime::utc(UtcTime near) const {
  // The difference of two stamps is right across eras as long as it is less than 68 years (RFC 5905 6).
  const auto apart = static_cast<std::int64_t>(value - of(near).value);
  const auto seconds = apart >> 32;
  const auto ns = (static_cast<std::uint64_t>(apart & 0xffffffff) * 1'000'000'000 + (1u << 31)) >> 32;
  return near + std::chrono::seconds(seconds) + Nanoseconds(static_cast<std::int64_t>(ns));
}

std::string to_string(NtpMode mode) {
  constexpr const char* kModes[] = {"reserved", "symmetric active", "symmetric passive", "client",
                                    "server",   "broadcast",        "control",           "private"};
  return kModes[static_cast<std::uint8_t>(mode) & 7];
}

std::string NtpPacket::encode() const {
  std::string out;
  append_number(out, (leap & 3u) << 6 | (version & 7u) << 3 | static_cast<unsigned>(mode), 1);
  append_number(out, stratum, 1);
  append_number(out, static_cast<std::uint8_t>(poll), 1);
  append_number(out, static_cast<std::uint8_t>(precision), 1);
  append_number(out, root_delay, 4);
  append_number(out, root_dispersion, 4);
  out += (reference_id + std::string(4, '\0')).substr(0, 4);
  for (const auto& time : {reference, origin, receive, transmit}) append_number(out, time.value, 8);
  return out;
}

NtpParse parse_ntp(std::string_view bytes) {
  if (bytes.empty()) return {std::nullopt, std::nullopt, "an empty datagram"};
  NtpPacket packet;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  packet.leap = first >> 6;
  packet.version = first >> 3 & 7;
  packet.mode = static_cast<NtpMode>(first & 7);
  if (packet.mode == NtpMode::Control || packet.mode == NtpMode::Private)
    return {packet.mode, std::nullopt, "mode " + to_string(packet.mode)};
  if (bytes.size() < kPacketBytes) return {packet.mode, std::nullopt, fmt::format("{} bytes, which is too short", bytes.size())};
  packet.stratum = static_cast<std::uint8_t>(bytes[1]);
  packet.poll = static_cast<std::int8_t>(bytes[2]);
  packet.precision = static_cast<std::int8_t>(bytes[3]);
  packet.root_delay = static_cast<std::uint32_t>(big_endian(bytes, 4, 4));
  packet.root_dispersion = static_cast<std::uint32_t>(big_endian(bytes, 8, 4));
  packet.reference_id = std::string(bytes.substr(12, 4));
  std::size_t at = 16;
  for (auto* time : {&packet.reference, &packet.origin, &packet.receive, &packet.transmit})
    time->value = big_endian(bytes, std::exchange(at, at + 8), 8);
  packet.beyond = bytes.size() - kPacketBytes;
  return {packet.mode, packet, ""};
}

}  // namespace hilcop::services
