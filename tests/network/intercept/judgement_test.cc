// SPDX-License-Identifier: Apache-2.0
// In doubt nothing is a refusal: a false Pass would come of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "network/intercept/cases.h"
#include "network/intercept/judgement.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

InterceptedConnection came(InterceptCase which, bool shown = true) {
  InterceptedConnection connection;
  connection.given = which;
  connection.hello = ClientHello{};
  connection.hello->versions = {0x0304, 0x0303};
  connection.hello->lists_versions = true;
  connection.hello->cipher_suites = {0x1301, 0xc02f};
  if (shown) connection.flaw_shown = Moment{};
  return connection;
}

InterceptedConnection with_alert(InterceptedConnection connection, int code) {
  connection.alerts = {{code, true, "alert"}};
  return connection;
}

InterceptOutcome judged(InterceptedConnection connection, ConnectionEnd end, bool trusted_ca = true) {
  judge(connection, end, trusted_ca, "");
  EXPECT_NE(connection.cause, "");
  return connection.outcome;
}

TEST(JudgementTest, WhoeverHasNotSeenTheFlawHasNotRefusedIt) {
  for (const auto end :
       {ConnectionEnd::Close, ConnectionEnd::Reset, ConnectionEnd::Deadline, ConnectionEnd::Bench, ConnectionEnd::Broken}) {
    EXPECT_EQ(judged(came(Expired, false), end), NotJudged);
    EXPECT_EQ(judged(InterceptedConnection{}, end), NotJudged) << "no ClientHello came";
  }
  EXPECT_EQ(judged(with_alert(came(Expired, false), 42), ConnectionEnd::Alert), NotJudged);
}

TEST(JudgementTest, TheClientAloneCanRefuse) {
  for (const auto end : {ConnectionEnd::Close, ConnectionEnd::Reset, ConnectionEnd::CloseNotify})
    EXPECT_EQ(judged(came(Expired), end), RefusedInHandshake);
  EXPECT_EQ(judged(with_alert(came(Expired), 45), ConnectionEnd::Alert), RefusedInHandshake);
  for (const auto end : {ConnectionEnd::Deadline, ConnectionEnd::Bench, ConnectionEnd::Broken, ConnectionEnd::NoAgreement})
    EXPECT_EQ(judged(came(Expired), end), NotJudged);
}

TEST(JudgementTest, AfterTheHandshake) {
  auto done = came(WrongName);
  done.handshake_done = Moment{};
  for (const auto end : {ConnectionEnd::Close, ConnectionEnd::Reset, ConnectionEnd::CloseNotify})
    EXPECT_EQ(judged(done, end), RefusedAfterHandshake);
  EXPECT_EQ(judged(with_alert(done, 42), ConnectionEnd::Alert), RefusedAfterHandshake);
  EXPECT_EQ(judged(done, ConnectionEnd::Deadline), CompletedSentNothing);
  EXPECT_EQ(judged(done, ConnectionEnd::Bench), NotJudged);
  EXPECT_EQ(judged(done, ConnectionEnd::Broken), NotJudged);
  done.data = "x";
  for (int end = 0; end <= static_cast<int>(ConnectionEnd::Bench); ++end)
    EXPECT_EQ(judged(with_alert(done, 0), static_cast<ConnectionEnd>(end)), SentApplicationData);
}

TEST(JudgementTest, WhatIsNotOfferedIsRefusedAndOnlyThat) {
  EXPECT_EQ(judged(came(OldVersion10, false), ConnectionEnd::NoAgreement), RefusedInHandshake);
  EXPECT_EQ(judged(came(NullCipher, false), ConnectionEnd::NoAgreement), RefusedInHandshake);
  auto old = came(OldVersion10, false);
  old.hello->versions = {0x0303};
  old.hello->lists_versions = false;  // "1.2 or less"
  EXPECT_EQ(judged(old, ConnectionEnd::NoAgreement), NotJudged) << "it may have taken TLS 1.0 with another cipher";
  auto offers = came(WeakCipher, false);
  offers.hello->cipher_suites.push_back(0x002f);
  EXPECT_EQ(judged(offers, ConnectionEnd::NoAgreement), NotJudged);
  EXPECT_EQ(judged(came(SelfSigned, false), ConnectionEnd::NoAgreement), NotJudged) << "the bench could not show it";
}

TEST(JudgementTest, WithoutATrustedCaARefusalOfTheCertificateIsNoneOfTheVersion) {
  EXPECT_EQ(judged(with_alert(came(OldVersion10), 48), ConnectionEnd::Alert, false), NotJudged);
  EXPECT_EQ(judged(came(WeakCipher), ConnectionEnd::Close, false), NotJudged);
  EXPECT_EQ(judged(with_alert(came(OldVersion10), 70), ConnectionEnd::Alert, false), RefusedInHandshake);
  EXPECT_EQ(judged(came(OldVersion11, false), ConnectionEnd::NoAgreement, false), RefusedInHandshake);
  EXPECT_EQ(judged(with_alert(came(OldVersion10), 48), ConnectionEnd::Alert, true), RefusedInHandshake);
  EXPECT_EQ(judged(with_alert(came(UnknownCa), 48), ConnectionEnd::Alert, false), RefusedInHandshake);
}

TEST(JudgementTest, TheCauseIsASentence) {
  auto connection = with_alert(came(UnknownCa), 48);
  connection.alerts[0].name = "unknown CA";
  judge(connection, ConnectionEnd::Alert, true, "");
  EXPECT_EQ(connection.cause, "the client sent the alert 'unknown CA' (48), in the handshake");
  EXPECT_EQ(to_string(connection.outcome), "refused_in_handshake");
}

}  // namespace
}  // namespace hilcop
