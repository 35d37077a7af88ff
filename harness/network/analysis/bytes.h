// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hilcop::analysis {

using Bytes = std::span<const std::byte>;

inline std::string_view chars_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes bytes_of_text(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// Printable ASCII as it is and the rest as \xNN: what a device says stands in JSON and in reports without harm. A longer text is cut
/// after `most` characters and ends with "...".
std::string ascii_of(std::string_view text, std::size_t most = 1024);
inline std::string ascii_of(Bytes bytes, std::size_t most = 1024) { return ascii_of(chars_of(bytes), most); }
std::string lower_case(std::string_view text);

/// Reads numbers in network byte order from bytes of unknown origin. Beyond their end everything is 0 and empty, and ok() is false from
/// then on: whoever reads checks once, at his end.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  Bytes take(std::size_t count) {
    if (count > left()) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  void skip(std::size_t count) { take(count); }
  Bytes rest() { return take(left()); }

 private:
  std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    for (const auto byte : take(count)) value = value << 8 | static_cast<std::uint64_t>(byte);
    return value;
  }
  Bytes bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace hilcop::analysis
