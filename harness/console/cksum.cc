// SPDX-License-Identifier: Apache-2.0
#include "console/cksum.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>

namespace hilcop {
namespace {

// POSIX cksum: polynomial 0x04C11DB7, most significant bit first, the length appended least significant byte first.
constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80000000u) != 0 ? (crc << 1) ^ 0x04C11DB7u : crc << 1;
    table[i] = crc;
  }
  return table;
}

constexpr auto kTable = make_table();

constexpr std::uint32_t step(std::uint32_t crc, std::uint8_t byte) { return (crc << 8) ^ kTable[(crc >> 24) ^ byte]; }

}  // namespace

std::string posix_cksum(std::string_view bytes) {
  std::uint32_t crc = 0;
  for (const char c : bytes) crc = step(crc, static_cast<std::uint8_t>(c));
  for (std::size_t length = bytes.size(); length != 0; length >>= 8) crc = step(crc, static_cast<std::uint8_t>(length & 0xff));
  return std::to_string(~crc) + ":" + std::to_string(bytes.size());
}

std::string sha256sum_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr);
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += {digits[digest[i] >> 4], digits[digest[i] & 15]};
  return text + "::-";
}

}  // namespace hilcop
