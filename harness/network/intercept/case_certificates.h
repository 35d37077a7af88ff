// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "network/intercept/certificates.h"
#include "network/intercept/intercept_case.h"

namespace hilcop {

/// Whom a certificate is made for.
struct CertificateFor {
  std::string name;     // DNS; empty: none
  std::string address;  // empty: none
  bool operator==(const CertificateFor&) const = default;
};

/// What a server shows; `staple`: an OCSP response (DER) for a client that asks for one, of this certificate alone; empty: none.
struct ServedCertificate {
  Certificate leaf;
  std::string staple;
};

/// Makes the certificates of every case. The names are right wherever the case is not the name, the dates wherever it is not the dates, and
/// so on: each has one flaw. Their keys are made once, and shared. Thread-safe but for the constructor; make() takes about a millisecond.
class CaseCertificates {
 public:
  /// `trusted`: the CA that the device trusts (make_authority, read_authority); without one, cases that need it are not testable.
  /// `list_url`: where certificates say that the revocation list is; whoever answers there serves revocation_list().
  explicit CaseCertificates(std::optional<Certificate> trusted, std::string list_url = "", const Clock& clock = real_clock());

  bool has_trusted_ca() const { return trusted_.has_value(); }
  bool testable(InterceptCase which) const { return has_trusted_ca() || !facts_of(which).needs_trusted_ca; }
  /// Throws Error{Unsupported} for what is not testable. What has its flaw elsewhere is signed by the trusted CA, or by an unknown one.
  /// One with each kind of key, so that a client without RSA or without ECDSA is served too; a weak key alone.
  std::vector<ServedCertificate> make(InterceptCase which, const CertificateFor& whom) const;
  /// DER, by the trusted CA: what make(Revoked) has made so far, 10,000 at most. Empty without a trusted CA.
  std::string revocation_list() const;

 private:
  struct Revoked;
  Certificate leaf(InterceptCase which, CertificateContent content, const std::shared_ptr<evp_pkey_st>& key) const;
  std::string staple(const Certificate& leaf, bool revoked) const;

  std::optional<Certificate> trusted_;
  std::string list_url_;
  const Clock& clock_;
  Certificate unknown_;
  std::shared_ptr<evp_pkey_st> p256_, rsa_, weak_rsa_, middle_key_;
  std::shared_ptr<Revoked> revoked_;
};

}  // namespace hilcop
