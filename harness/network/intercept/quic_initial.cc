// SPDX-License-Identifier: Apache-2.0
// RFC 9000 (packets, frames), RFC 9001 5 (keys, header protection), RFC 9369 (version 2).
#include "network/intercept/quic_initial.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "network/intercept/byte_cursor.h"
#include "network/intercept/openssl_owned.h"

namespace hilcop {
namespace {

constexpr std::string_view kSalt1("\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a", 20);
constexpr std::string_view kSalt2("\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9", 20);
constexpr std::size_t kLeastOfAClient = 1200;  // RFC 9000 14.1
constexpr std::uint64_t kMostOfAHello = 64 * 1024;

using CipherPtr = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::uint64_t variable_number(ByteCursor& bytes) {
  const auto first = bytes.u8();
  const std::size_t more = (std::size_t{1} << (first >> 6)) - 1;
  return static_cast<std::uint64_t>(first & 0x3f) << (8 * more) | bytes.number(more);
}

std::string hmac(std::string_view key, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(text), text.size(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

// HKDF-Expand-Label of RFC 8446 7.1, of at most the 32 bytes that one round gives.
std::string expanded(const std::string& secret, const std::string& label, std::size_t size) {
  const auto full = "tls13 " + label;
  std::string info{'\0', static_cast<char>(size), static_cast<char>(full.size())};
  info += full + std::string("\0\1", 2);
  return hmac(secret, info).substr(0, size);
}

std::string header_mask(const std::string& key, std::string_view sample) {
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  std::array<unsigned char, 32> out{};
  int size = 0;
  EVP_EncryptInit_ex(cipher.get(), EVP_aes_128_ecb(), nullptr, raw(key), nullptr);
  EVP_EncryptUpdate(cipher.get(), out.data(), &size, raw(sample), 16);
  return {reinterpret_cast<const char*>(out.data()), 16};
}

std::optional<std::string> opened(const std::string& key, const std::string& nonce, const std::string& head, std::string_view sealed) {
  const auto text = sealed.substr(0, sealed.size() - 16);
  std::string tag(sealed.substr(text.size()));
  std::string out(text.size(), '\0');
  auto* const out_bytes = reinterpret_cast<unsigned char*>(out.data());
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  EVP_DecryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, raw(key), raw(nonce));
  EVP_DecryptUpdate(cipher.get(), nullptr, &size, raw(head), static_cast<int>(head.size()));
  EVP_DecryptUpdate(cipher.get(), out_bytes, &size, raw(text), static_cast<int>(text.size()));
  EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
  if (EVP_DecryptFinal_ex(cipher.get(), out_bytes + out.size(), &size) != 1) return std::nullopt;
  return out;
}

// Clients send the pieces in any order, with others between.
std::string crypto_of(const std::string& frames) {
  std::map<std::uint64_t, std::string> pieces;
  ByteCursor bytes(std::as_bytes(std::span(frames)));
  while (bytes.ok() && !bytes.rest().empty()) {
    const auto type = variable_number(bytes);
    if (type == 0 || type == 1) continue;  // PADDING, PING
    if (type != 6) break;                  // a client's first has no other
    const auto offset = variable_number(bytes);
    const auto piece = bytes.take(variable_number(bytes));
    if (bytes.ok() && offset < kMostOfAHello) pieces[offset] = text_of_bytes(piece);
  }
  std::string all;
  for (const auto& [offset, piece] : pieces) {
    if (offset > all.size()) break;
    if (offset + piece.size() > all.size()) all.replace(offset, std::string::npos, piece);
  }
  return all;
}

}  // namespace

std::optional<QuicInitial> find_quic_initial(std::span<const std::byte> datagram) {
  ByteCursor bytes(datagram);
  const auto first = bytes.u8();
  QuicInitial found;
  found.version = static_cast<std::uint32_t>(bytes.number(4));
  found.destination = bytes.field(1);
  const auto source = bytes.field(1);
  if (!bytes.ok() || (first & 0x80) == 0 || found.version == 0) return std::nullopt;  // 0: a server's list of versions
  if (found.destination.size() > 20 || source.size() > 20) return std::nullopt;
  const int initial = found.version == kQuic2 ? 1 : 0;
  found.known_version = found.version == kQuic1 || found.version == kQuic2;
  if (!found.known_version)
    return datagram.size() >= kLeastOfAClient && found.destination.size() >= 8 ? std::optional(found) : std::nullopt;
  if ((first & 0x40) == 0 || ((first >> 4) & 3) != initial) return std::nullopt;
  bytes.take(variable_number(bytes));  // token
  const auto length = variable_number(bytes);
  if (!bytes.ok() || length < 20 || length > bytes.rest().size()) return std::nullopt;
  found.number_at = datagram.size() - bytes.rest().size();
  found.end = found.number_at + static_cast<std::size_t>(length);
  return found;
}

std::optional<std::string> read_quic_initial(std::span<const std::byte> datagram, const QuicInitial& packet) {
  const bool second = packet.version == kQuic2;
  const std::string prefix = second ? "quicv2 " : "quic ";
  const auto initial = hmac(second ? kSalt2 : kSalt1, text_of_bytes(packet.destination));
  const auto secret = expanded(initial, "client in", 32);
  const auto whole = text_of_bytes(datagram.first(packet.end));
  // The sample begins where the packet would go on after the longest number.
  const auto mask = header_mask(expanded(secret, prefix + "hp", 16), std::string_view(whole).substr(packet.number_at + 4, 16));
  std::string head = whole.substr(0, packet.number_at);
  head[0] = static_cast<char>(head[0] ^ (mask[0] & 0x0f));
  const std::size_t number_size = static_cast<std::size_t>(head[0] & 3) + 1;
  std::string nonce = expanded(secret, prefix + "iv", 12);
  for (std::size_t i = 0; i < number_size; ++i) {
    const char number = static_cast<char>(whole[packet.number_at + i] ^ mask[i + 1]);
    head += number;
    auto& place = nonce[12 - number_size + i];
    place = static_cast<char>(place ^ number);
  }
  const auto sealed = std::string_view(whole).substr(packet.number_at + number_size);
  if (sealed.size() < 16) return std::nullopt;
  const auto frames = opened(expanded(secret, prefix + "key", 16), nonce, head, sealed);
  return frames ? std::optional(crypto_of(*frames)) : std::nullopt;
}

}  // namespace hilcop
