// SPDX-License-Identifier: Apache-2.0
#include "tls_rules.h"

#include <openssl/x509_vfy.h>

#include "error.h"

namespace ht1 {

void set_tls_rules(SSL_CTX* context, const Unit& unit, const std::string& name) {
  const auto ca = unit.file("ca.crt");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr) != 1)
    throw Failure("TLS: cannot read the maker's certificate " + ca.string() + "; is the factory partition whole?");
  if (!unit.flaws.has("name-unchecked")) X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(context), name.c_str(), name.size());
  require_forward_secrecy(context);
  loosen_by_flaws(context, unit.flaws);
}

void require_forward_secrecy(SSL_CTX* context) {
  if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1)
    throw Failure("TLS: OpenSSL has none of the ciphers of TLS 1.2 that are wanted");
}

void loosen_by_flaws(SSL_CTX* context, const Flaws& flaws) {
  if (flaws.has("cert-unchecked")) SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (flaws.has("expiry-unchecked")) X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
}

}  // namespace ht1
