// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace hilcop {

/// Cumulative counts of a UART since it was opened (TIOCGICOUNT); a difference between two reads is a gap in the evidence.
struct LineCounters {
  std::uint64_t overrun = 0, buffer_overrun = 0, framing = 0, parity = 0, breaks = 0;
  bool operator==(const LineCounters&) const = default;
};

enum class ModemLine { Dtr, Rts };

/// A full-duplex stream of bytes: the seam between consoles and the OS. Never blocks. Not thread-safe: one owner at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// What errors and the run record call it: "/dev/ttyUSB0 (0403:6001 serial A1B2)", "unix:/run/.../console.sock".
  virtual const std::string& name() const = 0;
  /// What the record should say of how it was opened: settings that nobody confirmed, errors that are not told. Empty: nothing.
  virtual std::string remark() const { return {}; }
  /// To be polled for reading; owned by the stream. Changes after a reopen.
  virtual int fd() const = 0;
  /// To be polled for writing.
  virtual int write_fd() const { return fd(); }
  /// Bytes that are there now; 0: none. Throws Error{Disconnected} when the other side is gone.
  virtual std::size_t read_some(std::span<std::byte> into) = 0;
  /// Bytes taken now; 0: would block. Throws Error{Disconnected}.
  virtual std::size_t write_some(std::span<const std::byte> bytes) = 0;
  /// Throws Error{Disconnected} if the device has gone although reads still return 0 (an unplugged USB adapter does that).
  virtual void check_present() = 0;
  /// Explicit modem lines and break. Throws Error{Unsupported} where the transport has none.
  virtual void set_line(ModemLine line, bool asserted) = 0;
  virtual void send_break(std::chrono::milliseconds length) = 0;
  /// A break that lasts: TX stays low until it is let go. Throws Error{Unsupported} by default.
  virtual void hold_break(bool held);
  /// nullopt: the transport does not count.
  virtual std::optional<LineCounters> line_counters() = 0;
};

}  // namespace hilcop
