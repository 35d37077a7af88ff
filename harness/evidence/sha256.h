// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace hilcop {

/// SHA-256 of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  void add(std::span<const std::byte> bytes) { add({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }
  /// In lower-case hex; nothing may be added after it.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// SHA-256 in lower-case hex.
std::string sha256_hex(std::string_view bytes);
/// Of a file's content; throws Error where it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace hilcop
