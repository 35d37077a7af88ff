// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects with owners, and its errors as ours. For the .cc files of this folder alone.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <string>

#include "base/error.h"
#include "base/owned.h"

namespace hilcop {

/// What OpenSSL has noted in this thread, which it forgets: "no shared cipher", or "no reason given".
inline std::string openssl_reason() {
  const auto code = ERR_peek_last_error();
  std::array<char, 256> text{};
  if (const char* reason = ERR_reason_error_string(code)) return ERR_clear_error(), reason;
  if (code == 0) return "no reason given";
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

/// What came of a call that must not fail: throws Error{Unsupported} where it is null or not positive.
template <typename T>
T openssl_must(T result, const char* what) {
  if (result > T{}) return result;
  throw Error(ErrorKind::Unsupported, "certificates of the bench", std::string(what) + ": OpenSSL says " + openssl_reason(),
              "look at the OpenSSL of this host: openssl version -a");
}

}  // namespace hilcop
