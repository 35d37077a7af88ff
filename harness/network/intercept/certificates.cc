// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/certificates.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <ctime>
#include <utility>

#include "network/intercept/openssl_owned.h"

namespace hilcop {
namespace {

using BioPtr = Owned<BIO, BIO_free_all>;

std::time_t seconds(UtcTime time) {
  return static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

template <typename Write>
std::string pem_text(Write write) {
  const BioPtr out(openssl_must(BIO_new(BIO_s_mem()), "memory"));
  openssl_must(write(out.get()), "PEM");
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      openssl_must(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), "extension"));
  openssl_must(X509_add_ext(certificate, extension.get(), -1), "extension");
}

// Not through OpenSSL's text form, where a comma in a name would begin another one.
void add_names(X509* certificate, const CertificateContent& content) {
  const Owned<GENERAL_NAMES, GENERAL_NAMES_free> names(openssl_must(GENERAL_NAMES_new(), "names"));
  const auto add = [&](int type, ASN1_STRING* value) {
    auto* const name = openssl_must(GENERAL_NAME_new(), "name");
    GENERAL_NAME_set0_value(name, type, value);
    openssl_must(sk_GENERAL_NAME_push(names.get(), name), "name");
  };
  for (const auto& dns : content.dns_names) {
    auto* const text = openssl_must(ASN1_IA5STRING_new(), "name");
    openssl_must(ASN1_STRING_set(text, dns.data(), static_cast<int>(dns.size())), "name");
    add(GEN_DNS, text);
  }
  for (const auto& address : content.addresses) add(GEN_IPADD, openssl_must(a2i_IPADDRESS(address.c_str()), "address"));
  if (sk_GENERAL_NAME_num(names.get()) > 0)
    openssl_must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT), "names");
}

void add_serial(X509* certificate) {
  std::array<unsigned char, 16> number;
  openssl_must(RAND_bytes(number.data(), number.size()), "random number");
  number[0] = static_cast<unsigned char>((number[0] & 0x7f) | 0x40);  // positive, and of one length
  const Owned<BIGNUM, BN_free> big(openssl_must(BN_bin2bn(number.data(), number.size(), nullptr), "number"));
  openssl_must(BN_to_ASN1_INTEGER(big.get(), X509_get_serialNumber(certificate)), "number");
}

}  // namespace

std::string Certificate::pem() const {
  return pem_text([this](BIO* out) { return PEM_write_bio_X509(out, x509.get()); });
}

std::string Certificate::key_pem() const {
  return pem_text([this](BIO* out) { return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

std::shared_ptr<EVP_PKEY> make_key(KeyKind kind) {
  const std::size_t bits = kind == KeyKind::Rsa1024 ? 1024 : 2048;
  EVP_PKEY* const key = kind == KeyKind::P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(static_cast<unsigned>(bits));
  return {openssl_must(key, "key"), EVP_PKEY_free};
}

Certificate make_certificate(const CertificateContent& content, std::shared_ptr<EVP_PKEY> key, const Certificate* issuer) {
  const std::shared_ptr<X509> made(openssl_must(X509_new(), "certificate"), X509_free);
  X509* const x509 = made.get();
  X509* const above = issuer != nullptr ? issuer->x509.get() : x509;
  openssl_must(X509_set_version(x509, X509_VERSION_3), "version");
  add_serial(x509);
  openssl_must(ASN1_TIME_set(X509_getm_notBefore(x509), seconds(content.not_before)), "time");
  openssl_must(ASN1_TIME_set(X509_getm_notAfter(x509), seconds(content.not_after)), "time");
  auto* const name = X509_get_subject_name(x509);
  for (const auto& [field, text] : {std::pair{"O", std::string("hilcop bench")}, {"CN", content.common_name.substr(0, 64)}})
    if (!text.empty())
      openssl_must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                              static_cast<int>(text.size()), -1, 0),
                   "name");
  openssl_must(X509_set_issuer_name(x509, X509_get_subject_name(above)), "issuer");
  openssl_must(X509_set_pubkey(x509, key.get()), "key");
  extend(x509, above, NID_basic_constraints, content.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(x509, above, NID_key_usage,
         content.is_ca ? "critical,keyCertSign,cRLSign,digitalSignature" : "critical,digitalSignature,keyEncipherment");
  extend(x509, above, NID_subject_key_identifier, "hash");
  extend(x509, above, NID_authority_key_identifier, "keyid");
  if (!content.is_ca) extend(x509, above, NID_ext_key_usage, content.for_clients ? "clientAuth" : "serverAuth");
  if (!content.list_url.empty()) extend(x509, above, NID_crl_distribution_points, "URI:" + content.list_url);
  add_names(x509, content);
  openssl_must(X509_sign(x509, issuer != nullptr ? issuer->key.get() : key.get(), content.by_sha1 ? EVP_sha1() : EVP_sha256()),
               "signature");
  return {made, std::move(key), {}};
}

Certificate make_authority(const std::string& common_name, UtcTime now) {
  CertificateContent content;
  content.common_name = common_name;
  content.not_before = now - std::chrono::years(10);
  content.not_after = now + std::chrono::years(10);
  content.is_ca = true;
  return make_certificate(content, make_key(KeyKind::P256));
}

Certificate read_authority(const std::string& certificate_pem, const std::string& key_pem, const std::string& object, UtcTime now) {
  const auto refuse = [&](const std::string& cause, const std::string& remedy) -> Error {
    ERR_clear_error();
    return {ErrorKind::Config, object, cause, remedy};
  };
  Certificate read;
  const BioPtr in(BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  while (X509* const one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    const std::shared_ptr<X509> owned(one, X509_free);
    if (!read.x509)
      read.x509 = owned;
    else
      read.above.push_back(owned);
  }
  ERR_clear_error();  // that there is no further one
  if (!read.x509) throw refuse("holds no PEM certificate", "give the CA's certificate as PEM: openssl x509 -in CA -outform PEM");
  const BioPtr key_in(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const auto no_password = [](char*, int, int, void*) { return -1; };  // never asks on a terminal
  read.key = {PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_password, nullptr), EVP_PKEY_free};
  if (!read.key) throw refuse("holds no PEM key that can be read without a password", "give it without: openssl pkey -in KEY -out PLAIN");
  if (X509_check_private_key(read.x509.get(), read.key.get()) != 1)
    throw refuse("the key is not that of the certificate", "give the two that were made together");
  if (X509_check_ca(read.x509.get()) != 1) throw refuse("the certificate is not that of a CA", "give one with basicConstraints CA:TRUE");
  std::time_t at = seconds(now);
  if (X509_cmp_time(X509_get0_notBefore(read.x509.get()), &at) > 0 || X509_cmp_time(X509_get0_notAfter(read.x509.get()), &at) < 0)
    throw refuse("the certificate is not valid today", "look at its dates: openssl x509 -noout -dates; and at this host's clock");
  return read;
}

}  // namespace hilcop
