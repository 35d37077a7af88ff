// SPDX-License-Identifier: Apache-2.0
// What the device needs of OpenSSL, in its own words.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ht1 {

std::string random_bytes(std::size_t count);
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
std::optional<std::string> from_base64(std::string_view text);
std::string sha256(std::string_view bytes);
// In a time that does not tell where they differ.
bool same_secret(std::string_view one, std::string_view other);

std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info);
std::string scrypt(std::string_view password, std::string_view salt, unsigned n, unsigned r, unsigned p);

// Nonce (12 bytes), ciphertext, tag (16 bytes); what was altered or belongs to another name is not opened.
std::string seal(std::string_view key, std::string_view name, std::string_view value);
std::optional<std::string> unseal(std::string_view key, std::string_view name, std::string_view sealed);

// ECDSA with SHA-256, signature in DER; false for whatever is not right.
bool signature_holds(const std::string& public_key_pem, std::string_view text, std::string_view signature);

// SHA-256 of something that comes in pieces.
class Digest {
 public:
  Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest();
  void add(std::string_view bytes);
  std::string finish();

 private:
  void* context_;
};

}  // namespace ht1
