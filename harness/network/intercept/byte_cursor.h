// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace hilcop {

/// Reads big-endian fields one after another; what is beyond the end is zero or empty, and ok() is false from then on.
class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::byte> bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  std::span<const std::byte> rest() const { return rest_; }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const auto byte : take(bytes)) value = value << 8 | static_cast<std::uint64_t>(byte);
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::span<const std::byte> take(std::uint64_t count) {
    if (!ok_ || count > rest_.size()) return ok_ = false, rest_ = {}, rest_;
    const auto taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  /// A field behind its length of that many bytes.
  std::span<const std::byte> field(std::size_t length_bytes) { return take(number(length_bytes)); }

 private:
  std::span<const std::byte> rest_;
  bool ok_ = true;
};

inline std::string text_of_bytes(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace hilcop
