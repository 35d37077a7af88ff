// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "network/port/packet_socket.h"

namespace hilcop {

/// What arrives at an interface, frame by frame and at once (TPACKET_V2): for whoever passes it on. What the kernel itself sends there is
/// not in it. Holds 8,192 frames of up to 1,980 bytes; longer ones are counted and left out. Not thread-safe.
class FrameRing {
 public:
  explicit FrameRing(const std::string& interface);
  /// Readable when a frame is there.
  int fd() const { return socket_.get(); }
  /// The next frame; empty: none is there. It lives until the next call.
  std::span<const std::byte> next();
  /// Puts a frame on the wire. False where the interface took none (its queue is full, it is down).
  bool send(std::span<const std::byte> frame) const;

  /// After POLLERR: the interface went down or away. Returns its errno.
  int take_error() const;

  std::uint64_t too_long() const { return too_long_; }
  /// What the kernel had no room for, since the last call.
  std::uint64_t take_dropped() const;

 private:
  void give_back();

  UniqueFd socket_;
  RingMemory memory_;
  std::vector<std::byte> tagged_;
  std::size_t at_ = 0;
  bool given_ = false;
  std::uint64_t too_long_ = 0;
};

}  // namespace hilcop
