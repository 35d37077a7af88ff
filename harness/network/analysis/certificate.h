// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "network/analysis/bytes.h"

namespace hilcop::analysis {

/// What an X.509 certificate says of itself; nothing is verified. Texts are printable.
struct CertificateFacts {
  std::string subject, issuer;        // "CN=host,O=Maker" (RFC 2253)
  std::vector<std::string> names;     // subjectAltName: DNS names and addresses
  std::string not_before, not_after;  // "Nov 28 12:00:00 2026 GMT"
  std::string sha256;                 // of the whole, hex
};
std::optional<CertificateFacts> read_certificate(Bytes der);

/// Hex of the SHA-256.
std::string sha256_hex(Bytes bytes);

}  // namespace hilcop::analysis
