// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/intercept_case.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace hilcop {
namespace {

// Whatever a device can: but for the flaw the bench is no reason to fail. Security level 0 lets OpenSSL 3.0 have TLS 1.0, SHA-1, RSA-1024.
constexpr const char* kAnyCipher = "ALL:!aNULL:!eNULL:@SECLEVEL=0";

using enum InterceptCase;
constexpr std::array<InterceptCaseFacts, 16> kCases{{
    {Sound, "sound", "none: the control", true, false, 0, 0, kAnyCipher},
    {SelfSigned, "self_signed", "the certificate is signed by itself", false, false, 0, 0, kAnyCipher},
    {UnknownCa, "unknown_ca", "signed by a CA that nobody knows", false, false, 0, 0, kAnyCipher},
    {WrongName, "wrong_name", "the certificate is for another name", true, false, 0, 0, kAnyCipher},
    {Expired, "expired", "the certificate is over since 30 days", true, false, 0, 0, kAnyCipher},
    {NotYetValid, "not_yet_valid", "the certificate begins in 30 days", true, false, 0, 0, kAnyCipher},
    {LeafAsCa, "leaf_as_ca", "signed by a certificate that is none of a CA", true, false, 0, 0, kAnyCipher},
    {WrongUsage, "wrong_usage", "the certificate is for clients alone", true, false, 0, 0, kAnyCipher},
    {Revoked, "revoked", "the certificate is revoked, as the staple and the list say", true, false, 0, 0, kAnyCipher},
    {WeakKey, "weak_key", "the certificate's key is RSA of 1024 bits", true, false, 0, 0, kAnyCipher},
    {WeakSignature, "weak_signature", "the certificate is signed over SHA-1", true, false, 0, 0, kAnyCipher},
    {OldVersion10, "old_version_1_0", "TLS 1.0 alone", false, true, 0x0301, 0, kAnyCipher},
    {OldVersion11, "old_version_1_1", "TLS 1.1 alone", false, true, 0x0302, 0, kAnyCipher},
    {WeakCipher, "weak_cipher", "AES128-SHA with RSA key exchange alone: no forward secrecy", false, true, 0, 0x0303,
     "AES128-SHA:@SECLEVEL=0"},
    {NullCipher, "null_cipher", "no encryption alone", false, true, 0, 0x0303, "eNULL:!aNULL:@SECLEVEL=0"},
    {Strip, "strip", "an answer in plain text where TLS was asked for", false, false, 0, 0, kAnyCipher},
}};

}  // namespace

std::span<const InterceptCaseFacts> intercept_cases() { return kCases; }

const InterceptCaseFacts& facts_of(InterceptCase which) { return kCases[static_cast<std::size_t>(which)]; }

InterceptCase intercept_case_named(std::string_view name) {
  const auto* const found = std::find_if(kCases.begin(), kCases.end(), [&](const auto& facts) { return facts.name == name; });
  if (found != kCases.end()) return found->which;
  std::string names;
  for (const auto& facts : kCases) names += std::string(names.empty() ? "" : ", ") + facts.name;
  throw Error(ErrorKind::Config, "interception case '" + std::string(name) + "'", "there is no such case", "one of " + names);
}

}  // namespace hilcop
