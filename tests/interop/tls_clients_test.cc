// SPDX-License-Identifier: Apache-2.0
// The interceptor before clients that nobody here wrote: what each does with each case, and that it is told as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "network/intercept/interceptor.h"
#include "network/intercept/loopback.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using enum InterceptCase;
using enum InterceptOutcome;
using Outcomes = std::map<InterceptCase, InterceptOutcome>;

struct TlsClient {
  std::string name;
  std::string command;  // of the shell; $PORT and $CA are where the bench is and whom it may trust
  std::string says;     // what its data has in it
  Outcomes does;        // with what is no control
};

void PrintTo(const TlsClient& client, std::ostream* out) { *out << client.name; }

// What a client does with the certificates, unless the others say otherwise; the rest it refuses in the handshake.
Outcomes with_certificates(InterceptOutcome outcome, const Outcomes& others) {
  auto all = others;
  for (const auto& facts : intercept_cases())
    if (facts.which != Sound) all.try_emplace(facts.which, facts.in_negotiation || facts.which == Strip ? RefusedInHandshake : outcome);
  return all;
}
Outcomes refused(const Outcomes& others) { return with_certificates(RefusedInHandshake, others); }
Outcomes refused_after(const Outcomes& others) { return with_certificates(RefusedAfterHandshake, others); }
Outcomes taken(const Outcomes& others) { return with_certificates(SentApplicationData, others); }

class TlsClientsTest : public testing::TestWithParam<TlsClient> {
 protected:
  TlsClientsTest() { std::ofstream(dir_ / "ca.pem") << ca_.pem(); }

  static InterceptOptions options() {
    InterceptOptions options;
    options.more_data = 300ms;
    return options;
  }
  InterceptedConnection called(InterceptCase which) {
    interceptor_.plan().set_default(which);
    const auto since = real_clock().now();
    ProcessOptions options;
    options.program = "/bin/sh";
    options.arguments = {"-c", GetParam().command};
    options.environment = {{"PORT", std::to_string(server_.second)}, {"CA", dir_ / "ca.pem"}, {"HOME", dir_.path()}};
    options.capture_output = true;
    said_ = run_process(options, Deadline::in(20s)).output;
    return interceptor_.wait_for({.server_name = "localhost"}, Deadline::in(20s), since);
  }

  TempDir dir_;
  std::pair<UniqueFd, int> server_ = listening_on_loopback();
  Certificate ca_ = make_authority("the lab's CA", real_clock().utc_now());
  std::vector<UniqueFd> sockets_ = [this] {
    std::vector<UniqueFd> one;
    one.push_back(std::move(server_.first));
    return one;
  }();
  Interceptor interceptor_{std::move(sockets_), CaseCertificates(ca_), Sound, options()};
  std::string said_;
};

TEST_P(TlsClientsTest, IsToldAsItWas) {
  const auto control = called(Sound);
  ASSERT_EQ(control.outcome, SentApplicationData) << control.cause << "\n" << said_;
  EXPECT_THAT(control.data, HasSubstr(GetParam().says));
  EXPECT_TRUE(control.encrypted);
  for (const auto& [which, outcome] : GetParam().does) {
    const auto connection = called(which);
    EXPECT_EQ(to_string(connection.outcome), to_string(outcome)) << to_string(which) << ": " << connection.cause << "\n" << said_;
    if (outcome == SentApplicationData) {
      EXPECT_THAT(connection.data, HasSubstr(GetParam().says)) << to_string(which);
    } else {
      EXPECT_EQ(connection.data, "") << to_string(which);
    }
  }
  const auto again = called(Sound);
  EXPECT_EQ(again.outcome, SentApplicationData) << "the cases before must not have broken the control: " << again.cause;
}

const std::string kBasic = "Authorization: Basic dXNlcjpzZWNyZXQ=";
const std::string kCurl = "exec curl -sS --max-time 10 -u user:secret https://localhost:$PORT/ ";
const std::string kOpenssl =
    "printf secret | openssl s_client -quiet -verify_return_error -CAfile $CA -servername localhost -connect localhost:$PORT ";
const std::string kGnutls = "printf 'secret\\n' | gnutls-cli --x509cafile=$CA -p $PORT localhost ";
const std::string kMosquitto = "exec mosquitto_pub -h localhost -p $PORT --cafile $CA -u user -P secret -t t -m m ";
const std::string kWget =
    "exec wget -q -O /dev/null --tries=1 --timeout=10 --ca-certificate=$CA --header 'X-Key: secret' https://localhost:$PORT/ ";

// No client checks revocation unless it is told to, but GnuTLS looks at a staple. Debian's OpenSSL refuses TLS 1.0 and 1.1, its GnuTLS does
// not. RSA key exchange is still everybody's.
const Outcomes kOpensslTakes{{Revoked, SentApplicationData}, {WeakCipher, SentApplicationData}};
const Outcomes kGnutlsTakes{{WeakKey, SentApplicationData},
                            {OldVersion10, SentApplicationData},
                            {OldVersion11, SentApplicationData},
                            {WeakCipher, SentApplicationData}};
Outcomes operator+(Outcomes some, const Outcomes& others) { return some.insert(others.begin(), others.end()), some; }

// curl checks the name after the handshake: that it completes is no failure.
INSTANTIATE_TEST_SUITE_P(
    Curl, TlsClientsTest,
    testing::Values(
        TlsClient{"curl", kCurl + "--cacert $CA", kBasic, refused(kOpensslTakes + Outcomes{{WrongName, RefusedAfterHandshake}})},
        TlsClient{"curl_1_2", kCurl + "--cacert $CA --tls-max 1.2", kBasic,
                  refused(kOpensslTakes + Outcomes{{WrongName, RefusedAfterHandshake}})},
        TlsClient{"curl_insecure", kCurl + "-k", kBasic, taken(kOpensslTakes)},
        TlsClient{"curl_insecure_1_2", kCurl + "-k --tls-max 1.2", kBasic, taken(kOpensslTakes)},
        TlsClient{"curl_staple", kCurl + "--cacert $CA --cert-status", kBasic,
                  refused({{WrongName, RefusedAfterHandshake}, {Revoked, RefusedAfterHandshake}, {WeakCipher, SentApplicationData}})}),
    [](const auto& param) { return param.param.name; });

// s_client checks the chain alone.
INSTANTIATE_TEST_SUITE_P(
    Openssl, TlsClientsTest,
    testing::Values(TlsClient{"openssl", kOpenssl, "secret", refused(kOpensslTakes + Outcomes{{WrongName, SentApplicationData}})},
                    TlsClient{"openssl_1_2", kOpenssl + "-tls1_2", "secret",
                              refused(kOpensslTakes + Outcomes{{WrongName, SentApplicationData}})},
                    TlsClient{"openssl_old", kOpenssl + "-cipher ALL:eNULL:@SECLEVEL=0 -no_tls1_3 -legacy_server_connect", "secret",
                              refused(kOpensslTakes + Outcomes{{WrongName, SentApplicationData},
                                                               {WeakKey, SentApplicationData},
                                                               {WeakSignature, SentApplicationData},
                                                               {OldVersion10, SentApplicationData},
                                                               {OldVersion11, SentApplicationData},
                                                               {NullCipher, SentApplicationData}})}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(Gnutls, TlsClientsTest,
                         testing::Values(TlsClient{"gnutls", kGnutls, "secret", refused(kGnutlsTakes)},
                                         TlsClient{"gnutls_1_2", kGnutls + "--priority NORMAL:-VERS-TLS1.3", "secret",
                                                   refused(kGnutlsTakes)},
                                         TlsClient{"gnutls_insecure", kGnutls + "--insecure", "secret", taken(kGnutlsTakes)}),
                         [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(Mosquitto, TlsClientsTest,
                         testing::Values(TlsClient{"mosquitto", kMosquitto, "secret", refused(kOpensslTakes)},
                                         TlsClient{"mosquitto_insecure", kMosquitto + "--insecure", "secret",
                                                   refused(kOpensslTakes + Outcomes{{WrongName, SentApplicationData}})}),
                         [](const auto& param) { return param.param.name; });

// wget is of GnuTLS, and looks at the certificate after the handshake; not at its usage.
INSTANTIATE_TEST_SUITE_P(
    Wget, TlsClientsTest,
    testing::Values(
        TlsClient{"wget", kWget, "X-Key: secret", refused_after(kGnutlsTakes + Outcomes{{WrongUsage, SentApplicationData}})},
        TlsClient{"wget_1_2", kWget + "--secure-protocol=TLSv1_2", "X-Key: secret",
                  refused_after({{WrongUsage, SentApplicationData}, {WeakKey, SentApplicationData}, {WeakCipher, SentApplicationData}})},
        TlsClient{"wget_insecure", kWget + "--no-check-certificate", "X-Key: secret", taken(kGnutlsTakes)}),
    [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace hilcop
