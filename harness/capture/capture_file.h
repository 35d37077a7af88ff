// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/unique_fd.h"

namespace hilcop {

/// A file that is read from its begin to its end in large pieces.
class CaptureFile {
 public:
  /// Throws Error.
  explicit CaptureFile(const std::filesystem::path& file);
  /// The next bytes, without going on: fewer at the end of the file. They live until the next call. Throws Error where the disk fails.
  std::span<const std::byte> peek(std::size_t count);
  void skip(std::size_t count);  // of what peek has shown
  std::uint64_t offset() const { return offset_; }
  const std::string& object() const { return object_; }

 private:
  std::string object_;
  std::size_t piece_;
  UniqueFd fd_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
};

/// Numbers of a file's own byte order.
class ByteOrder {
 public:
  explicit ByteOrder(bool big = false) : big_(big) {}
  std::uint16_t u16(std::span<const std::byte> bytes, std::size_t at) const { return static_cast<std::uint16_t>(number(bytes, at, 2)); }
  std::uint32_t u32(std::span<const std::byte> bytes, std::size_t at) const { return static_cast<std::uint32_t>(number(bytes, at, 4)); }
  std::uint64_t u64(std::span<const std::byte> bytes, std::size_t at) const { return number(bytes, at, 8); }

 private:
  std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t count) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<std::uint64_t>(bytes[at + (big_ ? i : count - 1 - i)]);
    return value;
  }
  bool big_;
};

}  // namespace hilcop
