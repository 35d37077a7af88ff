// SPDX-License-Identifier: Apache-2.0
#include "crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <memory>

#include "error.h"
#include "owned.h"

namespace ht1 {
namespace {

constexpr std::size_t kNonce = 12, kTag = 16, kKey = 32;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void need(bool ok, const char* what) {
  if (!ok) throw Failure(std::string("OpenSSL cannot ") + what + "; is libcrypto of this image whole?");
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  need(RAND_bytes(bytes_of(bytes), static_cast<int>(count)) == 1, "make random bytes");
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char c : bytes) text += {kDigits[c >> 4], kDigits[c & 15]};
  return text;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    for (const char c : text.substr(i, 2)) {
      const auto digit = std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 65536) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(bytes_of(bytes), bytes_of(text), static_cast<int>(text.size()));
  if (n < 0) return std::nullopt;
  const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
  bytes.resize(static_cast<std::size_t>(n) - padding);
  return bytes;
}

std::string sha256(std::string_view bytes) {
  Digest digest;
  digest.add(bytes);
  return digest.finish();
}

bool same_secret(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  std::string out(kKey, '\0');
  std::size_t size = out.size();
  need(context && EVP_PKEY_derive_init(context.get()) > 0 && EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) > 0 &&
           EVP_PKEY_CTX_set1_hkdf_salt(context.get(), bytes_of(salt), static_cast<int>(salt.size())) > 0 &&
           EVP_PKEY_CTX_set1_hkdf_key(context.get(), bytes_of(key), static_cast<int>(key.size())) > 0 &&
           EVP_PKEY_CTX_add1_hkdf_info(context.get(), bytes_of(info), static_cast<int>(info.size())) > 0 &&
           EVP_PKEY_derive(context.get(), bytes_of(out), &size) > 0,
       "derive a key");
  return out;
}

std::string scrypt(std::string_view password, std::string_view salt, unsigned n, unsigned r, unsigned p) {
  std::string out(kKey, '\0');
  constexpr std::uint64_t kMostMemory = 64 << 20;
  need(EVP_PBE_scrypt(password.data(), password.size(), bytes_of(salt), salt.size(), n, r, p, kMostMemory, bytes_of(out), out.size()) == 1,
       "run scrypt");
  return out;
}

std::string seal(std::string_view key, std::string_view name, std::string_view value) {
  const Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
  const std::string nonce = random_bytes(kNonce);
  std::string body(value.size(), '\0'), tag(kTag, '\0');
  int n = 0;
  need(context && key.size() == kKey &&
           EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
           EVP_EncryptUpdate(context.get(), nullptr, &n, bytes_of(name), static_cast<int>(name.size())) == 1 &&
           EVP_EncryptUpdate(context.get(), bytes_of(body), &n, bytes_of(value), static_cast<int>(value.size())) == 1 &&
           EVP_EncryptFinal_ex(context.get(), bytes_of(tag), &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, tag.data()) == 1,
       "seal a record");
  return nonce + body + tag;
}

std::optional<std::string> unseal(std::string_view key, std::string_view name, std::string_view sealed) {
  if (sealed.size() < kNonce + kTag || key.size() != kKey) return std::nullopt;
  const Owned<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new());
  const auto nonce = sealed.substr(0, kNonce), body = sealed.substr(kNonce, sealed.size() - kNonce - kTag);
  std::string tag(sealed.substr(sealed.size() - kTag)), value(body.size(), '\0');
  int n = 0;
  const bool ok = context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
                  EVP_DecryptUpdate(context.get(), nullptr, &n, bytes_of(name), static_cast<int>(name.size())) == 1 &&
                  EVP_DecryptUpdate(context.get(), bytes_of(value), &n, bytes_of(body), static_cast<int>(body.size())) == 1 &&
                  EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) == 1;
  unsigned char rest[kTag];
  if (!ok || EVP_DecryptFinal_ex(context.get(), rest, &n) != 1) return std::nullopt;
  return value;
}

bool signature_holds(const std::string& public_key_pem, std::string_view text, std::string_view signature) {
  const Owned<BIO> pem(BIO_new_mem_buf(public_key_pem.data(), static_cast<int>(public_key_pem.size())));
  const Owned<EVP_PKEY> key(pem ? PEM_read_bio_PUBKEY(pem.get(), nullptr, nullptr, nullptr) : nullptr);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return key && context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
}

Digest::Digest() : context_(EVP_MD_CTX_new()) {
  need(context_ != nullptr && EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) == 1, "start a digest");
}
Digest::~Digest() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
void Digest::add(std::string_view bytes) {
  need(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1, "go on with a digest");
}
std::string Digest::finish() {
  std::string out(32, '\0');
  need(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), bytes_of(out), nullptr) == 1, "end a digest");
  return out;
}

}  // namespace ht1
