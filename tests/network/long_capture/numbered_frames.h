// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/mount.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/capture_sequence.h"

namespace hilcop {

/// An Ethernet frame of a protocol for experiments (IEEE 802: 0x88b5), so that what the kernel says by itself is told from it.
inline std::vector<std::byte> numbered_frame(std::uint32_t number, std::size_t size = 1400) {
  std::vector<std::byte> frame(size, std::byte{0});
  for (std::size_t i = 0; i < 6; ++i) frame[i] = std::byte{0xff};
  frame[6] = std::byte{0x02};
  frame[12] = std::byte{0x88};
  frame[13] = std::byte{0xb5};
  std::memcpy(&frame[14], &number, sizeof number);
  return frame;
}

/// The numbers of a capture's frames of that kind, in their order, and what it says of itself.
struct NumberedFrames {
  std::vector<std::uint32_t> numbers;
  std::vector<std::string> damage, missing;
  std::vector<std::optional<CaptureCounts>> counts;
};
inline NumberedFrames numbered_frames(const std::vector<std::filesystem::path>& files) {
  CaptureSequence sequence(files);
  NumberedFrames found;
  while (const auto packet = sequence.next()) {
    const auto& bytes = packet->bytes;
    if (bytes.size() < 18 || bytes[12] != std::byte{0x88} || bytes[13] != std::byte{0xb5}) continue;
    std::uint32_t number = 0;
    std::memcpy(&number, &bytes[14], sizeof number);
    found.numbers.push_back(number);
  }
  found.damage = sequence.damage(), found.missing = sequence.missing(), found.counts = sequence.counts();
  return found;
}

/// A disk of so many bytes, of the test's own: in its mount namespace, and gone with it.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path at, std::size_t bytes) : at_(std::move(at)) {
    std::filesystem::create_directories(at_);
    const auto how = "size=" + std::to_string(bytes);
    EXPECT_EQ(::mount("none", at_.c_str(), "tmpfs", 0, how.c_str()), 0) << std::strerror(errno);
  }
  ~SmallDisk() { ::umount2(at_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return at_ / name; }

 private:
  std::filesystem::path at_;
};

}  // namespace hilcop
