// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/case_certificates.h"

#include <openssl/ocsp.h>

#include <mutex>
#include <utility>

#include "network/intercept/openssl_owned.h"

namespace hilcop {
namespace {

constexpr std::size_t kMostRevoked = 10'000;

std::string der_text(const unsigned char* bytes, int size) {
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

template <typename T, typename Encode>
std::string der_of(T* object, Encode encode) {
  unsigned char* bytes = nullptr;
  const int size = openssl_must(encode(object, &bytes), "DER");
  const Owned<unsigned char, [](unsigned char* p) { OPENSSL_free(p); }> owned(bytes);
  return der_text(bytes, size);
}

using TimePtr = Owned<ASN1_TIME, ASN1_TIME_free>;
TimePtr asn1_time(UtcTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return TimePtr(openssl_must(ASN1_TIME_set(nullptr, static_cast<time_t>(whole)), "time"));
}
using GeneralizedPtr = Owned<ASN1_GENERALIZEDTIME, ASN1_GENERALIZEDTIME_free>;
GeneralizedPtr generalized_time(UtcTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return GeneralizedPtr(openssl_must(ASN1_GENERALIZEDTIME_set(nullptr, static_cast<time_t>(whole)), "time"));
}

}  // namespace

struct CaseCertificates::Revoked {
  std::mutex mutex;
  std::vector<std::shared_ptr<X509>> certificates;
};

CaseCertificates::CaseCertificates(std::optional<Certificate> trusted, std::string list_url, const Clock& clock)
    : trusted_(std::move(trusted)),
      list_url_(std::move(list_url)),
      clock_(clock),
      unknown_(make_authority("a CA that nobody knows", clock.utc_now())),
      p256_(make_key(KeyKind::P256)),
      rsa_(make_key(KeyKind::Rsa2048)),
      weak_rsa_(make_key(KeyKind::Rsa1024)),
      middle_key_(make_key(KeyKind::P256)),
      revoked_(std::make_shared<Revoked>()) {}

std::vector<ServedCertificate> CaseCertificates::make(InterceptCase which, const CertificateFor& whom) const {
  if (!testable(which))
    throw Error(ErrorKind::Unsupported, "interception case '" + to_string(which) + "'", "NOT TESTABLE without a CA that the device trusts",
                "put the lab's CA into a test build of the device, and name it");
  const auto now = clock_.utc_now();
  CertificateContent content;
  content.common_name = !whom.name.empty() ? whom.name : whom.address;
  if (!whom.name.empty()) content.dns_names = {whom.name};
  if (!whom.address.empty()) content.addresses = {whom.address};
  // Under 398 days in all: longer ones some clients refuse for that alone. From a month back, for a device whose clock is behind.
  content.not_before = now - std::chrono::days(30);
  content.not_after = now + std::chrono::days(365);
  if (trusted_) content.list_url = list_url_;

  // A client may insist on a staple: where the CA is the trusted one it has one, and only the revoked certificate a bad one.
  const bool stapled =
      trusted_ && which != InterceptCase::SelfSigned && which != InterceptCase::UnknownCa && which != InterceptCase::LeafAsCa;
  const bool revoked = which == InterceptCase::Revoked;
  std::vector<ServedCertificate> served;
  for (const auto& key : which == InterceptCase::WeakKey ? std::vector{weak_rsa_} : std::vector{p256_, rsa_}) {
    const auto made = leaf(which, content, key);
    served.push_back({made, stapled ? staple(made, revoked) : ""});
    const std::scoped_lock lock(revoked_->mutex);
    if (revoked && revoked_->certificates.size() < kMostRevoked) revoked_->certificates.push_back(made.x509);
  }
  return served;
}

Certificate CaseCertificates::leaf(InterceptCase which, CertificateContent content, const std::shared_ptr<EVP_PKEY>& key) const {
  const auto now = clock_.utc_now();
  const Certificate* issuer = trusted_ && which != InterceptCase::UnknownCa ? &*trusted_ : &unknown_;
  Certificate middle;
  switch (which) {
    case InterceptCase::SelfSigned:
      return make_certificate(content, key);
    case InterceptCase::WrongName:
      content.common_name = "another-host.invalid";
      content.dns_names = {content.common_name};
      content.addresses.clear();
      break;
    case InterceptCase::Expired:
      content.not_before = now - std::chrono::days(365);
      content.not_after = now - std::chrono::days(30);
      break;
    case InterceptCase::NotYetValid:
      content.not_before = now + std::chrono::days(30);
      break;
    case InterceptCase::LeafAsCa: {
      // What anybody can buy for a name of his own, used to sign for the name of somebody else.
      auto of_another = content;
      of_another.common_name = "another-host.invalid";
      of_another.dns_names = {of_another.common_name};
      of_another.addresses.clear();
      middle = make_certificate(of_another, middle_key_, issuer);
      middle.above = issuer->above;
      middle.above.insert(middle.above.begin(), issuer->x509);
      issuer = &middle;
      break;
    }
    case InterceptCase::WrongUsage:
      content.for_clients = true;
      break;
    case InterceptCase::WeakSignature:
      content.by_sha1 = true;
      break;
    default:
      break;
  }
  auto made = make_certificate(content, key, issuer);
  made.above = issuer->above;
  made.above.insert(made.above.begin(), issuer->x509);
  return made;
}

std::string CaseCertificates::staple(const Certificate& leaf, bool revoked) const {
  const Owned<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(openssl_must(OCSP_BASICRESP_new(), "staple"));
  const auto now = clock_.utc_now();
  const auto since = generalized_time(now - std::chrono::hours(1)), until = generalized_time(now + std::chrono::days(7));
  const auto when = generalized_time(now - std::chrono::days(1));
  // GnuTLS takes none that speaks of two certificates.
  const Owned<OCSP_CERTID, OCSP_CERTID_free> id(openssl_must(OCSP_cert_to_id(nullptr, leaf.x509.get(), trusted_->x509.get()), "staple"));
  openssl_must(OCSP_basic_add1_status(basic.get(), id.get(), revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
                                      revoked ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : OCSP_REVOKED_STATUS_NOSTATUS,
                                      revoked ? when.get() : nullptr, since.get(), until.get()),
               "staple");
  openssl_must(OCSP_basic_sign(basic.get(), trusted_->x509.get(), trusted_->key.get(), EVP_sha256(), nullptr, OCSP_NOCERTS), "staple");
  const Owned<OCSP_RESPONSE, OCSP_RESPONSE_free> response(
      openssl_must(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()), "staple"));
  return der_of(response.get(), i2d_OCSP_RESPONSE);
}

std::string CaseCertificates::revocation_list() const {
  if (!trusted_) return "";
  const auto now = clock_.utc_now();
  const Owned<X509_CRL, X509_CRL_free> list(openssl_must(X509_CRL_new(), "list"));
  openssl_must(X509_CRL_set_version(list.get(), X509_CRL_VERSION_2), "list");
  openssl_must(X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(trusted_->x509.get())), "list");
  openssl_must(X509_CRL_set1_lastUpdate(list.get(), asn1_time(now - std::chrono::hours(1)).get()), "list");
  openssl_must(X509_CRL_set1_nextUpdate(list.get(), asn1_time(now + std::chrono::days(7)).get()), "list");
  const std::scoped_lock lock(revoked_->mutex);
  for (const auto& certificate : revoked_->certificates) {
    Owned<X509_REVOKED, X509_REVOKED_free> entry(openssl_must(X509_REVOKED_new(), "list"));
    openssl_must(X509_REVOKED_set_serialNumber(entry.get(), X509_get_serialNumber(certificate.get())), "list");
    openssl_must(X509_REVOKED_set_revocationDate(entry.get(), asn1_time(now - std::chrono::hours(2)).get()), "list");
    openssl_must(X509_CRL_add0_revoked(list.get(), entry.get()), "list");
    (void)entry.release();  // the list's now
  }
  openssl_must(X509_CRL_sort(list.get()), "list");
  openssl_must(X509_CRL_sign(list.get(), trusted_->key.get(), EVP_sha256()), "list");
  return der_of(list.get(), i2d_X509_CRL);
}

}  // namespace hilcop
