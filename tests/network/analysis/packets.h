// SPDX-License-Identifier: Apache-2.0
// Packets for captures of a test's own, written by the standards and not by what reads them.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "capture/pcapng_writer.h"

namespace hilcop::analysis {

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// "192.0.2.1" or 32 hex digits for IPv6.
inline std::string packed_address(const std::string& text) {
  std::string packed;
  if (text.size() == 32) {
    for (std::size_t i = 0; i < 32; i += 2) packed += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
    return packed;
  }
  for (std::size_t at = 0; packed.size() < 4; at = text.find('.', at) + 1) packed += static_cast<char>(std::stoi(text.substr(at)));
  return packed;
}

inline std::string ethernet(std::uint16_t type, const std::string& payload, const std::string& tags = "") {
  return "\x02" + number(1, 5) + "\x02" + number(2, 5) + tags + number(type, 2) + payload;
}

/// The same frame between two hosts, whose link addresses are the first six bytes of their names.
inline std::string between(const std::string& from, const std::string& to, std::string frame) {
  return frame.replace(0, 6, to.substr(0, 6)).replace(6, 6, from.substr(0, 6));
}

struct Ipv4Options {
  std::uint16_t id = 1, fragment = 0;  // fragment: flags and offset as they stand in the header
};
inline std::string ip(const std::string& from, const std::string& to, std::uint8_t protocol, const std::string& payload,
                      Ipv4Options o = {}) {
  if (from.size() == 32)
    return number(0x60000000, 4) + number(payload.size(), 2) + number(protocol, 1) + number(64, 1) + packed_address(from) +
           packed_address(to) + payload;
  return std::string("\x45\0", 2) + number(20 + payload.size(), 2) + number(o.id, 2) + number(o.fragment, 2) + number(64, 1) +
         number(protocol, 1) + number(0, 2) + packed_address(from) + packed_address(to) + payload;
}
inline std::string ip_frame(const std::string& from, const std::string& to, std::uint8_t protocol, const std::string& payload,
                            Ipv4Options o = {}) {
  return ethernet(from.size() == 32 ? 0x86dd : 0x0800, ip(from, to, protocol, payload, o));
}

struct End {
  std::string address;
  std::uint16_t port;
};

inline std::string udp_segment(std::uint16_t from, std::uint16_t to, const std::string& payload) {
  return number(from, 2) + number(to, 2) + number(8 + payload.size(), 2) + number(0, 2) + payload;
}
inline std::string udp(const End& from, const End& to, const std::string& payload) {
  return ip_frame(from.address, to.address, 17, udp_segment(from.port, to.port, payload));
}

inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
inline std::string tcp(const End& from, const End& to, std::uint32_t sequence, std::uint32_t acknowledgement, std::uint8_t flags,
                       const std::string& payload = "") {
  return ip_frame(from.address, to.address, 6,
                  number(from.port, 2) + number(to.port, 2) + number(sequence, 4) + number(acknowledgement, 4) + number(0x50, 1) +
                      number(flags, 1) + number(8192, 2) + number(0, 4) + payload);
}

/// Frames of one TCP connection, in order.
class Talk {
 public:
  Talk(std::vector<std::string>& frames, End client, End server, std::uint32_t client_isn = 1000, std::uint32_t server_isn = 5000)
      : frames_(frames), ends_{std::move(client), std::move(server)}, next_{client_isn, server_isn} {
    send(0, kSyn, "");
    ++next_[0];
    send(1, kSyn | kAck, "");
    ++next_[1];
    send(0, kAck, "");
  }
  /// In segments of `size` bytes at most.
  Talk& client(const std::string& text, std::size_t size = 1400) { return say(0, text, size); }
  Talk& server(const std::string& text, std::size_t size = 1400) { return say(1, text, size); }
  void end() {
    for (const int side : {0, 1}) {
      send(side, kFin | kAck, "");
      ++next_[side];
    }
    send(0, kAck, "");
  }
  void send(int side, std::uint8_t flags, const std::string& payload) {
    frames_.push_back(tcp(ends_[side], ends_[1 - side], next_[side], flags == kSyn ? 0 : next_[1 - side], flags, payload));
  }

 private:
  Talk& say(int side, const std::string& text, std::size_t size) {
    for (std::size_t at = 0; at < text.size(); at += size) {
      send(side, kAck, text.substr(at, size));
      next_[side] += static_cast<std::uint32_t>(text.substr(at, size).size());
    }
    return *this;
  }
  std::vector<std::string>& frames_;
  End ends_[2];
  std::uint32_t next_[2];
};

constexpr UtcTime kCaptureBegin(Nanoseconds(1'732'000'000'000'000'000));

/// One millisecond apart, of one interface that has lost nothing.
inline void write_capture(const std::filesystem::path& file, const std::vector<std::string>& frames, CaptureCounts counts = {},
                          LinkType type = LinkType::Ethernet) {
  std::filesystem::remove(file);
  PcapngWriter writer(file, "hilcop tests");
  const auto wire = writer.add_interface("tap0", type);
  auto at = kCaptureBegin;
  for (const auto& frame : frames) writer.packet(wire, {at += 1ms, std::as_bytes(std::span(frame.data(), frame.size())), 0, ""});
  writer.statistics(wire, counts, at);
}

}  // namespace hilcop::analysis
