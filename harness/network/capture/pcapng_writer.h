// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/unique_fd.h"
#include "network/capture/packet.h"

namespace hilcop {

/// Writes a capture as pcapng (draft-ietf-opsawg-pcapng), little-endian, with nanosecond stamps: what Wireshark, tshark and PcapngReader
/// read. What was flushed survives SIGKILL; a torn tail is seen by the reader. Buffers at most kBuffer bytes. Not thread-safe.
class PcapngWriter {
 public:
  /// Makes the file, which must not exist. `comment` stands in its head. Throws Error.
  PcapngWriter(const std::filesystem::path& file, const std::string& program, const std::string& comment = "");
  /// Writes to what is open already (a pipe to Wireshark); `object` names it in errors.
  PcapngWriter(UniqueFd out, std::string object, const std::string& program, const std::string& comment = "");
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  /// Returns the number that packets name it by, from 0. snap_length: the most bytes kept of a packet; 0: all.
  std::uint32_t add_interface(const std::string& name, LinkType type, std::uint32_t snap_length = 0);
  void packet(std::uint32_t interface, const Packet& packet);
  /// For the packet that comes next, beside its own: what happened on the bench just before it. Until it comes 65,000 bytes at most.
  void mark(const std::string& text);
  /// Lines as SSLKEYLOGFILE has them. Wireshark uses secrets for packets after them alone, so they go in front of what they open.
  void tls_secrets(std::string_view lines);
  /// At the end of a capture: what the kernel received and lost. A mark that no packet followed stands here.
  void statistics(std::uint32_t interface, CaptureCounts counts, UtcTime at);
  /// Hands what is buffered to the kernel; `sync` also to the disk.
  void flush(bool sync = false);

  std::uint64_t size() const { return written_ + buffer_.size(); }
  /// Why writing failed (disk full), if it did: nothing more is written then, and what was is whole up to a block.
  const std::optional<Error>& failure() const { return failure_; }

  static constexpr std::size_t kBuffer = 256 * 1024;

 private:
  void head(const std::string& program, const std::string& comment);
  void begin(std::uint32_t type);
  void end();
  void number(std::uint64_t value, int bytes);
  void padded(std::string_view bytes);
  void option(std::uint16_t code, std::string_view value);
  void options_end();
  void write_out();

  UniqueFd out_;
  std::string object_, buffer_, marks_;
  std::size_t block_ = 0;  // where the one that is made begins in the buffer
  std::uint32_t interfaces_ = 0;
  std::uint64_t written_ = 0;
  std::optional<Error> failure_;
};

}  // namespace hilcop
