// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hilcop {

/// What a connection is answered with. docs/interception.md says what each can show.
enum class InterceptCase {
  Sound,
  SelfSigned,
  UnknownCa,
  WrongName,
  Expired,
  NotYetValid,
  LeafAsCa,
  WrongUsage,
  Revoked,
  WeakKey,
  WeakSignature,
  OldVersion10,
  OldVersion11,
  WeakCipher,
  NullCipher,
  Strip
};

struct InterceptCaseFacts {
  InterceptCase which;
  const char* name;       // as scenarios and reports have it
  const char* flaw;       // "signed by a CA that nobody knows"
  bool needs_trusted_ca;  // without one it cannot be tested: a refusal would be for the CA
  bool in_negotiation;    // the flaw is in version or cipher, not in the certificate
  std::uint16_t version;  // the only one that is offered (0x0301: TLS 1.0); 0: all
  std::uint16_t at_most;  // the highest that is; 0: all
  const char* ciphers;    // OpenSSL's list for up to TLS 1.2
};

std::span<const InterceptCaseFacts> intercept_cases();
const InterceptCaseFacts& facts_of(InterceptCase which);
inline std::string to_string(InterceptCase which) { return facts_of(which).name; }
/// Throws Error{Config} that lists the names there are.
InterceptCase intercept_case_named(std::string_view name);

}  // namespace hilcop
