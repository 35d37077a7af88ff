// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/packet.h"

namespace hilcop {

struct CaptureInterface {
  std::string name;
  LinkType type{};
  std::uint32_t snap_length = 0;  // 0: whole packets
};

struct CapturedPacket : Packet {
  std::uint64_t frame = 0;    // from 1, as Wireshark counts
  std::uint64_t offset = 0;   // of `bytes` in the file
  std::size_t interface = 0;  // of interfaces()
};

/// Reads a capture file, packet by packet: pcapng of either byte order, and pcap with micro- or nanoseconds. Whatever is in it, it ends
/// without a crash: what is torn or makes no sense is said in damage(), and what is whole but unknown is counted. Memory: one block, 16 MiB
/// at most. Not thread-safe.
class CaptureReader {
 public:
  /// Throws Error: the file cannot be read, or is no capture.
  explicit CaptureReader(const std::filesystem::path& file);
  ~CaptureReader();

  /// Blocks on the file alone. Nothing at its end, or at a damage that nothing after it can be read from. The packet's bytes live until
  /// the next call.
  std::optional<CapturedPacket> next();

  const std::vector<CaptureInterface>& interfaces() const;
  /// Of those interfaces that the file has them of; complete when next() has returned nothing.
  const std::vector<std::optional<CaptureCounts>>& counts() const;
  /// TLS secrets, as SSLKEYLOGFILE has them, of what was read so far.
  const std::string& tls_secrets() const;
  /// Comments that stand at no packet: of the file's head and its statistics.
  const std::vector<std::string>& comments() const;
  /// "at byte 4711: the file ends within a block"
  const std::vector<std::string>& damage() const;
  /// Blocks of kinds that are not read here.
  std::uint64_t unknown_blocks() const;

  class Format;

 private:
  std::unique_ptr<Format> format_;
};

}  // namespace hilcop
