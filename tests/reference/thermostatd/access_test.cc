// SPDX-License-Identifier: Apache-2.0
// Who gets in. Each flaw beside the sound device.
#include <gtest/gtest.h>

#include "reference/thermostatd/rig.h"

namespace ht1 {
namespace {

using nlohmann::json;

unsigned wrong_logins(ApiRig& rig, int count) {
  unsigned last = 0;
  for (int i = 0; i < count; ++i) last = rig.call("POST", "/api/login", {{"password", "not the password"}}).status;
  return last;
}

TEST(Ht1Access, TellsNothingButModelAndSetUpToStrangers) {
  ApiRig rig;
  EXPECT_EQ(json::parse(rig.call("GET", "/api/info").body), (json{{"model", "HT-1"}, {"setup", "open"}}));
  ASSERT_EQ(rig.set_up().status, 201u);
  EXPECT_EQ(json::parse(rig.call("GET", "/api/info").body), (json{{"model", "HT-1"}, {"setup", "done"}}));
}

TEST(Ht1Access, FlawVerboseInfo) {
  ApiRig rig({"verbose-info"});
  EXPECT_EQ(json::parse(rig.call("GET", "/api/info").body).at("serial"), "HT1-000042");
}

TEST(Ht1Access, EveryCallButTheOpenOnesWantsALogin) {
  ApiRig rig;
  ASSERT_EQ(rig.set_up().status, 201u);
  int closed = 0;
  for (const auto calls : {access_calls(), heating_calls(), user_calls(), system_calls()})
    for (const auto& call : calls) {
      if (call.access == Call::Open) continue;
      ++closed;
      EXPECT_EQ(rig.raw(call.method, call.path, "{}").status, 401u) << call.method << call.path;
      EXPECT_EQ(rig.raw(call.method, call.path, "{}", "00").status, 401u) << call.method << call.path;
    }
  EXPECT_GT(closed, 15);
  EXPECT_EQ(rig.call("GET", "/api/state", nullptr, rig.login()).status, 200u);
}

TEST(Ht1Access, FlawApiWithoutAuth) {
  ApiRig rig({"api-without-auth"});
  ASSERT_EQ(rig.set_up().status, 201u);
  EXPECT_EQ(rig.call("GET", "/api/export").status, 200u);
  EXPECT_EQ(rig.call("GET", "/api/user").status, 401u);
}

TEST(Ht1Access, SetUpWantsTheSecretAndAGoodPassword) {
  ApiRig rig;
  EXPECT_EQ(rig.set_up({{"secret", "AAAAAAAAAAAA"}}).status, 403u);
  for (const auto* weak : {"", "short", "1234567890", "Password123", "aaaaaaaaaaaa"})
    EXPECT_EQ(rig.set_up({{"password", weak}}).status, 400u) << weak;
  EXPECT_EQ(rig.set_up({{"nonsense", 1}}).status, 400u);
  EXPECT_EQ(rig.set_up({{"wifi", {{"ssid", "home"}, {"key", "short"}}}}).status, 400u);
  EXPECT_FALSE(rig.device->set_up());
  EXPECT_EQ(rig.login(), "");
  EXPECT_EQ(rig.set_up().status, 201u);
  EXPECT_NE(rig.login(), "");
}

TEST(Ht1Access, SetUpIsDoneOnce) {
  ApiRig sound, flawed({"setup-open-again"});
  ASSERT_EQ(sound.set_up().status, 201u);
  ASSERT_EQ(flawed.set_up().status, 201u);
  EXPECT_EQ(sound.set_up({{"password", "somebody else's"}}).status, 403u);
  EXPECT_EQ(flawed.set_up({{"password", "somebody else's"}}).status, 201u);
  EXPECT_NE(sound.login(), "");
  EXPECT_EQ(flawed.login(), "");
}

TEST(Ht1Access, GuessingIsSlowAndTheOwnerComesInAfterwards) {
  ApiRig rig;
  ASSERT_EQ(rig.set_up().status, 201u);
  EXPECT_EQ(wrong_logins(rig, 5), 401u);
  const auto locked = rig.call("POST", "/api/login", {{"password", kPassword}});
  EXPECT_EQ(locked.status, 429u);
  EXPECT_EQ(locked.retry_after_s, 30);
  rig.now += 31;
  EXPECT_EQ(wrong_logins(rig, 1), 401u);
  EXPECT_EQ(rig.call("POST", "/api/login", {{"password", kPassword}}).retry_after_s, 60);
  for (int i = 0; i < 8; ++i) rig.now += 901, wrong_logins(rig, 1);
  EXPECT_EQ(rig.call("POST", "/api/login", {{"password", kPassword}}).retry_after_s, 900);
  rig.now += 901;
  EXPECT_NE(rig.login(), "");
  EXPECT_EQ(wrong_logins(rig, 4), 401u);  // and counts from the start
  EXPECT_NE(rig.login(), "");
}

TEST(Ht1Access, ALockOutlivesAPowerCut) {
  ApiRig sound, flawed({"lockout-forgets"});
  for (auto* rig : {&sound, &flawed}) {
    ASSERT_EQ(rig->set_up().status, 201u);
    wrong_logins(*rig, 5);
    EXPECT_EQ(wrong_logins(*rig, 1), 429u);
    rig->power_cycle();
  }
  EXPECT_EQ(wrong_logins(sound, 1), 429u);
  EXPECT_EQ(wrong_logins(flawed, 1), 401u);
}

TEST(Ht1Access, FlawNoLockout) {
  ApiRig rig({"no-lockout"});
  ASSERT_EQ(rig.set_up().status, 201u);
  EXPECT_EQ(wrong_logins(rig, 30), 401u);
}

TEST(Ht1Access, FlawDefaultAdmin) {
  ApiRig sound, flawed({"default-admin"});
  for (auto* rig : {&sound, &flawed}) ASSERT_EQ(rig->set_up().status, 201u);
  EXPECT_EQ(sound.login("admin"), "");
  EXPECT_NE(flawed.login("admin"), "");
}

TEST(Ht1Access, FlawHiddenAccount) {
  ApiRig sound, flawed({"hidden-account"});
  const json entry = {{"user", "service"}, {"password", "HT1-service-2019"}};
  for (auto* rig : {&sound, &flawed}) ASSERT_EQ(rig->set_up().status, 201u);
  EXPECT_EQ(sound.call("POST", "/api/login", entry).status, 400u);
  EXPECT_EQ(sound.login("HT1-service-2019"), "");
  EXPECT_EQ(flawed.call("POST", "/api/login", entry).status, 200u);
}

TEST(Ht1Access, SessionsEnd) {
  ApiRig sound, flawed({"session-never-ends"});
  for (auto* rig : {&sound, &flawed}) {
    ASSERT_EQ(rig->set_up().status, 201u);
    const auto token = rig->login(), other = rig->login();
    const bool ends = rig == &sound;
    EXPECT_EQ(rig->call("GET", "/api/state", nullptr, token).status, 200u);
    EXPECT_EQ(rig->call("POST", "/api/logout", nullptr, token).status, 200u);
    EXPECT_EQ(rig->call("GET", "/api/state", nullptr, token).status, ends ? 401u : 200u);
    rig->now += Sessions::kLife - 1;
    EXPECT_EQ(rig->call("GET", "/api/state", nullptr, other).status, 200u);
    rig->now += 2;
    EXPECT_EQ(rig->call("GET", "/api/state", nullptr, other).status, ends ? 401u : 200u);
  }
}

TEST(Ht1Access, ANewPasswordEndsTheOldAndItsSessions) {
  ApiRig rig;
  ASSERT_EQ(rig.set_up().status, 201u);
  const auto token = rig.login();
  EXPECT_EQ(rig.call("POST", "/api/password", {{"old", "not the password"}, {"new", "another good one"}}, token).status, 403u);
  ASSERT_EQ(rig.call("POST", "/api/password", {{"old", kPassword}, {"new", "another good one"}}, token).status, 200u);
  EXPECT_EQ(rig.call("GET", "/api/state", nullptr, token).status, 401u);
  rig.power_cycle();
  EXPECT_EQ(rig.login(), "");
  EXPECT_NE(rig.login("another good one"), "");
}

TEST(Ht1Access, TokensDoNotRepeatOverColdStarts) {
  ApiRig sound, flawed({"no-random-seed"});
  for (auto* rig : {&sound, &flawed}) {
    ASSERT_EQ(rig->set_up().status, 201u);
    rig->power_cycle();
    const auto first = rig->login();
    rig->power_cycle();
    EXPECT_EQ(first == rig->login(), rig == &flawed);
    EXPECT_EQ(first.size(), 64u);
  }
}

TEST(Ht1Access, SecretsStayOutOfLogs) {
  const json wifi = {{"wifi", {{"ssid", "home"}, {"key", "canary-wifi-key"}}}};
  ApiRig sound, key_logged({"wifi-key-in-log"}), token_logged({"token-in-log"});
  for (auto* rig : {&sound, &key_logged, &token_logged}) {
    ASSERT_EQ(rig->set_up(wifi).status, 201u);
    const auto token = rig->login();
    const std::string said = rig->console + rig->events();
    EXPECT_EQ(said.find("canary-wifi-key") != std::string::npos, rig == &key_logged);
    EXPECT_EQ(said.find(token) != std::string::npos, rig == &token_logged);
  }
}

}  // namespace
}  // namespace ht1
