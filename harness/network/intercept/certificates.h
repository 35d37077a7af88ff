// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

struct x509_st;      // OpenSSL's X509
struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace hilcop {

/// A certificate with its private key; `above` are those over it that a server sends along. A value: copies share what OpenSSL counts.
struct Certificate {
  std::shared_ptr<x509_st> x509;
  std::shared_ptr<evp_pkey_st> key;
  std::vector<std::shared_ptr<x509_st>> above;

  /// It alone, for what is to trust it.
  std::string pem() const;
  /// Not encrypted: whoever has it can speak for every host to a device that trusts it.
  std::string key_pem() const;
};

enum class KeyKind { P256, Rsa2048, Rsa1024 };
/// Takes up to some 0.2 s for RSA. Throws Error{Unsupported}.
std::shared_ptr<evp_pkey_st> make_key(KeyKind kind);

/// What is to stand in a certificate (X.509 v3, RFC 5280).
struct CertificateContent {
  std::string common_name;             // cut to the 64 characters that X.520 allows
  std::vector<std::string> dns_names;  // subjectAltName
  std::vector<std::string> addresses;  // subjectAltName, IPv4 or IPv6 as text
  UtcTime not_before, not_after;       // whole seconds are kept
  bool is_ca = false;
  bool for_clients = false;  // extended key usage clientAuth in the place of serverAuth
  bool by_sha1 = false;      // signed over SHA-1, else SHA-256
  std::string list_url;      // CRL distribution point; empty: none
};

/// Signed by `issuer`, whose CA flag is not asked for; by itself without one. Throws Error{Unsupported}.
Certificate make_certificate(const CertificateContent& content, std::shared_ptr<evp_pkey_st> key, const Certificate* issuer = nullptr);

/// A CA for a bench: ten years back and ahead, P-256.
Certificate make_authority(const std::string& common_name, UtcTime now);

/// A lab's CA: a PEM certificate (more of them: those over it) and its key. Throws Error{Config} on `object` where they do not belong
/// together, it is no CA, or it is not valid at `now`.
Certificate read_authority(const std::string& certificate_pem, const std::string& key_pem, const std::string& object, UtcTime now);

}  // namespace hilcop
