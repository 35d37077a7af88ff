// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/deadline.h"
#include "base/error.h"
#include "capture/packet.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Writes a capture as pcapng (draft-ietf-opsawg-pcapng), little-endian, with nanosecond stamps: what Wireshark, tshark and PcapngReader
/// read. What was flushed survives SIGKILL; a torn tail is seen by the reader. Buffers at most kBuffer bytes. Not thread-safe, but for
/// give_up_at().
class PcapngWriter {
 public:
  /// Makes the file, which must not exist. `comment` stands in its head. Throws Error.
  PcapngWriter(const std::filesystem::path& file, const std::string& program, const std::string& comment = "");
  /// Writes to what is open already (a pipe to Wireshark); `object` names it in errors. Where it does not block (O_NONBLOCK) its reader is
  /// waited for here, and no longer than give_up_at() says.
  PcapngWriter(UniqueFd out, std::string object, const std::string& program, const std::string& comment = "");
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  /// Returns the number that packets name it by, from 0. snap_length: the most bytes kept of a packet; 0: all.
  std::uint32_t add_interface(const std::string& name, LinkType type, std::uint32_t snap_length = 0);
  void packet(std::uint32_t interface, const Packet& packet);
  /// For the packet that comes next, beside its own: what happened on the bench just before it. Until it comes 65,000 bytes at most;
  /// false: this was more, and is left out.
  bool mark(const std::string& text);
  /// Lines as SSLKEYLOGFILE has them. Wireshark uses secrets for packets after them alone, so they go in front of what they open.
  void tls_secrets(std::string_view lines);
  /// At the end of a capture: what the kernel received and lost. A mark that no packet followed stands here, and the comment.
  void statistics(std::uint32_t interface, CaptureCounts counts, UtcTime at, const std::string& comment = "");
  /// Marks that no packet has followed so far; they are no longer here then.
  std::string take_marks() { return std::exchange(marks_, {}); }
  /// Hands what is buffered to the kernel; `sync` also to the disk.
  void flush(bool sync = false);

  std::uint64_t size() const { return written_ + buffer_.size(); }
  /// In the file or the buffer. Those that writing failed for are not counted.
  std::uint64_t packets() const { return packets_; }
  /// How many bytes a packet of `bytes` makes the capture grow, at most, with the marks that wait for it.
  std::size_t size_of(const Packet& packet) const;
  /// Why writing failed (disk full), if it did: nothing more is written then, and the file ends with its last whole block.
  const std::optional<Error>& failure() const { return failure_; }
  /// A reader that has read nothing until then is not waited for any longer: writing has failed. Thread-safe.
  void give_up_at(Deadline deadline) { give_up_ns_ = to_ns(deadline.at()); }

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
  bool reader_came();
  void keep_whole_blocks(std::size_t put);

  UniqueFd out_;
  std::string object_, buffer_, marks_;
  std::size_t block_ = 0;  // where the one that is made begins in the buffer
  std::uint32_t interfaces_ = 0;
  std::uint64_t written_ = 0, packets_ = 0, packets_written_ = 0;
  std::atomic<std::int64_t> give_up_ns_{std::numeric_limits<std::int64_t>::max()};
  std::optional<Error> failure_;
};

}  // namespace hilcop
