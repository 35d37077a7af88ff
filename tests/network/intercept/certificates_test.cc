// SPDX-License-Identifier: Apache-2.0
// Each case has its one flaw, and OpenSSL's own verification names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ocsp.h>
#include <openssl/x509_vfy.h>

#include <map>

#include "fakes/error_of.h"
#include "network/intercept/case_certificates.h"
#include "network/intercept/cases.h"
#include "network/intercept/openssl_owned.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const CertificateFor kWhom{"cloud.example", "198.18.0.10"};

struct Trust {
  const Certificate& ca;
  std::string revocation_list;
};

// What a client finds that checks everything a client can (security level 2: 112 bits).
int verified(const Certificate& leaf, const Trust& trust, const std::string& host) {
  const Owned<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), trust.ca.x509.get());
  if (!trust.revocation_list.empty()) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(trust.revocation_list.data());
    const Owned<X509_CRL, X509_CRL_free> list(d2i_X509_CRL(nullptr, &bytes, static_cast<long>(trust.revocation_list.size())));
    X509_STORE_add_crl(store.get(), list.get());
    X509_STORE_set_flags(store.get(), X509_V_FLAG_CRL_CHECK);
  }
  const Owned<STACK_OF(X509), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }> above(sk_X509_new_null());
  for (const auto& one : leaf.above) sk_X509_push(above.get(), one.get());
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.x509.get(), above.get());
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  auto* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size());
  X509_VERIFY_PARAM_set_auth_level(parameters, 2);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

class CertificatesTest : public testing::Test {
 protected:
  const UtcTime now_ = real_clock().utc_now();
  const Certificate ca_ = make_authority("the lab's CA", now_);
  const CaseCertificates certificates_{ca_, "http://list.example/all.crl"};
};

TEST_F(CertificatesTest, EachCaseHasTheFlawThatItSays) {
  const std::map<InterceptCase, std::vector<int>> expected{
      {SelfSigned, {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT}},
      {UnknownCa, {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY}},
      {WrongName, {X509_V_ERR_HOSTNAME_MISMATCH}},
      {Expired, {X509_V_ERR_CERT_HAS_EXPIRED}},
      {NotYetValid, {X509_V_ERR_CERT_NOT_YET_VALID}},
      {LeafAsCa, {X509_V_ERR_INVALID_CA}},
      {WrongUsage, {X509_V_ERR_INVALID_PURPOSE}},
      {WeakKey, {X509_V_ERR_EE_KEY_TOO_SMALL}},
      {WeakSignature, {X509_V_ERR_CA_MD_TOO_WEAK}}};
  for (const auto& facts : intercept_cases()) {
    const auto served = certificates_.make(facts.which, kWhom);
    EXPECT_EQ(served.size(), facts.which == WeakKey ? 1u : 2u);
    const auto found = expected.find(facts.which);
    const auto errors = found == expected.end() ? std::vector<int>{X509_V_OK} : found->second;
    for (const auto& one : served) EXPECT_THAT(errors, testing::Contains(verified(one.leaf, {ca_, ""}, "cloud.example"))) << facts.name;
  }
}

TEST_F(CertificatesTest, ARevokedOneIsInTheListAndInTheStaple) {
  const auto sound = certificates_.make(Sound, kWhom), revoked = certificates_.make(Revoked, kWhom);
  const auto list = certificates_.revocation_list();
  const auto staple_says = [this](const ServedCertificate& served) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(served.staple.data());
    const Owned<OCSP_RESPONSE, OCSP_RESPONSE_free> response(d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(served.staple.size())));
    const Owned<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(OCSP_response_get1_basic(response.get()));
    const Owned<OCSP_CERTID, OCSP_CERTID_free> id(OCSP_cert_to_id(nullptr, served.leaf.x509.get(), ca_.x509.get()));
    int status = -1;
    OCSP_resp_find_status(basic.get(), id.get(), &status, nullptr, nullptr, nullptr, nullptr);
    return status;
  };
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(verified(sound[i].leaf, {ca_, list}, "cloud.example"), X509_V_OK);
    EXPECT_EQ(verified(revoked[i].leaf, {ca_, list}, "cloud.example"), X509_V_ERR_CERT_REVOKED);
    EXPECT_EQ(staple_says(sound[i]), V_OCSP_CERTSTATUS_GOOD);
    EXPECT_EQ(staple_says(revoked[i]), V_OCSP_CERTSTATUS_REVOKED);
  }
}

TEST_F(CertificatesTest, WithoutATrustedCaWhatNeedsItIsNotTestable) {
  const CaseCertificates none{std::nullopt};
  for (const auto& facts : intercept_cases()) {
    EXPECT_EQ(none.testable(facts.which), !facts.needs_trusted_ca);
    EXPECT_TRUE(certificates_.testable(facts.which));
    if (!facts.needs_trusted_ca) {
      EXPECT_NE(verified(none.make(facts.which, kWhom)[0].leaf, {ca_, ""}, "cloud.example"), X509_V_OK) << facts.name;
    } else {
      EXPECT_THAT(error_of([&] { none.make(facts.which, kWhom); }).what(), HasSubstr("NOT TESTABLE")) << facts.name;
    }
  }
  EXPECT_FALSE(none.testable(Sound)) << "there is no control either";
  EXPECT_THAT(none.revocation_list(), IsEmpty());
}

TEST_F(CertificatesTest, AnyNameAndAddressCanBeServed) {
  for (const auto& whom :
       {CertificateFor{"", "198.18.0.10"}, CertificateFor{"", "fd77::1"}, CertificateFor{std::string(253, 'a'), ""}, CertificateFor{}})
    EXPECT_EQ(certificates_.make(Sound, whom).size(), 2u) << whom.name << whom.address;
  const auto leaf = certificates_.make(Sound, {"", "198.18.0.10"})[0].leaf;
  EXPECT_EQ(X509_check_ip_asc(leaf.x509.get(), "198.18.0.10", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.x509.get(), "198.18.0.11", 0), 0);
}

TEST_F(CertificatesTest, ALabsOwnCaIsReadOrRefusedByName) {
  const auto read = [this](const std::string& certificate, const std::string& key) {
    return read_authority(certificate, key, "ca lab.pem", now_);
  };
  const auto same = read(ca_.pem(), ca_.key_pem());
  EXPECT_EQ(verified(CaseCertificates(same).make(Sound, kWhom)[0].leaf, {ca_, ""}, "cloud.example"), X509_V_OK);
  const auto other = make_authority("another", now_);
  EXPECT_THAT(error_of([&] { read(ca_.pem(), other.key_pem()); }).what(), HasSubstr("ca lab.pem: the key is not that of the certificate"));
  EXPECT_THAT(error_of([&] { read("nothing", ca_.key_pem()); }).what(), HasSubstr("holds no PEM certificate"));
  EXPECT_THAT(error_of([&] { read(ca_.pem(), "nothing"); }).what(), HasSubstr("holds no PEM key"));
  const auto leaf = certificates_.make(Sound, kWhom)[0].leaf;
  EXPECT_THAT(error_of([&] { read(leaf.pem(), leaf.key_pem()); }).what(), HasSubstr("is not that of a CA"));
  EXPECT_THAT(error_of([&] { read_authority(ca_.pem(), ca_.key_pem(), "ca", now_ + std::chrono::years(11)); }).what(),
              HasSubstr("not valid today"));
}

}  // namespace
}  // namespace hilcop
