// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

#include "network/analysis/address.h"

namespace hilcop::analysis {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

template <class Print>
std::string printed(const Print& print) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  if (!bio) return {};
  print(bio.get());
  char* text = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &text);
  return size <= 0 ? std::string() : ascii_of(std::string_view(text, static_cast<std::size_t>(size)));
}

std::string name_text(const X509_NAME* name) {
  return printed([&](BIO* bio) { X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253); });
}

Bytes bytes_of_string(const ASN1_STRING* text) {
  return {reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

}  // namespace

std::string sha256_hex(Bytes bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const auto byte : digest) hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  return hex;
}

std::optional<CertificateFacts> read_certificate(Bytes der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free);
  ERR_clear_error();
  if (!certificate) return std::nullopt;
  CertificateFacts facts;
  facts.subject = name_text(X509_get_subject_name(certificate.get()));
  facts.issuer = name_text(X509_get_issuer_name(certificate.get()));
  facts.not_before = printed([&](BIO* bio) { ASN1_TIME_print(bio, X509_get0_notBefore(certificate.get())); });
  facts.not_after = printed([&](BIO* bio) { ASN1_TIME_print(bio, X509_get0_notAfter(certificate.get())); });
  facts.sha256 = sha256_hex(der);
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)), &GENERAL_NAMES_free);
  ERR_clear_error();
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && facts.names.size() < 100; ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type == GEN_DNS) facts.names.push_back(ascii_of(bytes_of_string(value), 256));
    if (type == GEN_IPADD) facts.names.push_back(IpAddress::of(bytes_of_string(value)).text());
  }
  return facts;
}

}  // namespace hilcop::analysis
