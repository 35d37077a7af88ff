// SPDX-License-Identifier: Apache-2.0
// A TLS handshake and a few bytes after it, made by OpenSSL in memory.
#pragma once
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hilcop::analysis {

struct TlsTurn {
  bool client;
  std::string bytes;
};

/// `version`: TLS1_2_VERSION or TLS1_3_VERSION. The certificate is self-signed: CN=cloud.example, O=Maker, two names.
inline std::vector<TlsTurn> tls_talk(int version, const std::string& name, const std::string& said) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 4711);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
  X509_set_pubkey(certificate.get(), key.get());
  auto* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("Maker"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("cloud.example"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> names(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:cloud.example,IP:198.51.100.9"), &X509_EXTENSION_free);
  X509_add_ext(certificate.get(), names.get(), -1);
  X509_sign(certificate.get(), key.get(), EVP_sha256());

  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> ours(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
      theirs(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  for (auto* context : {ours.get(), theirs.get()}) {
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
  }
  SSL_CTX_use_certificate(theirs.get(), certificate.get());
  SSL_CTX_use_PrivateKey(theirs.get(), key.get());
  SSL_CTX_set_alpn_protos(ours.get(), reinterpret_cast<const unsigned char*>("\x08http/1.1\x04mqtt"), 14);
  SSL_CTX_set_alpn_select_cb(
      theirs.get(),
      [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned, void*) {
        *out = in + 1, *size = in[0];
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(ours.get()), &SSL_free), server(SSL_new(theirs.get()), &SSL_free);
  for (auto* end : {client.get(), server.get()}) SSL_set_bio(end, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client.get());
  SSL_set_accept_state(server.get());
  SSL_set_tlsext_host_name(client.get(), name.c_str());

  std::vector<TlsTurn> turns;
  const auto pass = [&](bool from_client) {
    auto *from = from_client ? client.get() : server.get(), *to = from_client ? server.get() : client.get();
    char bytes[8192];
    for (int n = 0; (n = BIO_read(SSL_get_wbio(from), bytes, sizeof(bytes))) > 0;) {
      turns.push_back({from_client, std::string(bytes, static_cast<std::size_t>(n))});
      BIO_write(SSL_get_rbio(to), bytes, n);
    }
  };
  for (int i = 0; i < 4; ++i) {
    SSL_do_handshake(client.get());
    pass(true);
    SSL_do_handshake(server.get());
    pass(false);
  }
  SSL_write(client.get(), said.data(), static_cast<int>(said.size()));
  pass(true);
  return turns;
}

}  // namespace hilcop::analysis
