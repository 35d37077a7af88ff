// SPDX-License-Identifier: Apache-2.0
// Flaws of input, identity and consent: what a flawed unit does, beside a sound one.
#include <filesystem>

#include <gtest/gtest.h>

#include "rig.h"

namespace ht1 {
namespace {

using nlohmann::json;

std::string owner(ApiRig& rig) {
  EXPECT_EQ(rig.set_up().status, 201u);
  return rig.login();
}

TEST(Ht1Flaws, SetupWithoutSecret) {
  ApiRig sound, flawed({"setup-without-secret"});
  EXPECT_EQ(sound.set_up({{"secret", "AAAAAAAAAAAA"}}).status, 403u);
  EXPECT_EQ(flawed.set_up({{"secret", "AAAAAAAAAAAA"}}).status, 201u);
}

TEST(Ht1Flaws, IdentityWritable) {
  ApiRig sound, flawed({"identity-writable"});
  const json user = {{"name", "Ada"}, {"email", "ada@example.org"}, {"device_name", "hall"}, {"serial", "HT1-999999"}};
  const auto token = owner(sound);
  EXPECT_EQ(sound.call("PUT", "/api/user", user, token).status, 400u);
  EXPECT_EQ(sound.device->serial(), "HT1-000042");
  EXPECT_EQ(flawed.call("PUT", "/api/user", user, owner(flawed)).status, 200u);
  flawed.power_cycle();
  EXPECT_EQ(flawed.device->serial(), "HT1-999999");
}

TEST(Ht1Flaws, ShellInDeviceName) {
  ApiRig sound, flawed({"shell-in-device-name"});
  for (auto* rig : {&sound, &flawed}) {
    const auto proof = rig->folder.path() / "ran";
    const json user = {{"name", "Ada"}, {"email", "ada@example.org"}, {"device_name", "hall; touch " + proof.string()}};
    rig->call("PUT", "/api/user", user, owner(*rig));
    EXPECT_EQ(std::filesystem::exists(proof), rig == &flawed);
  }
}

TEST(Ht1Flaws, ImportSlip) {
  ApiRig sound, flawed({"import-slip"});
  for (auto* rig : {&sound, &flawed}) {
    const json settings = {{"format", "ht1-settings 1"}, {"files", {{"../../slipped", "content"}}}};
    const auto status = rig->call("POST", "/api/import", settings, owner(*rig)).status;
    EXPECT_EQ(status == 400u, rig == &sound) << status;
    const bool slipped = std::filesystem::exists(rig->device->options.data.parent_path() / "slipped");
    EXPECT_EQ(slipped, rig == &flawed);
  }
}

TEST(Ht1Flaws, TelemetryBeforeConsentAndOptoutIgnored) {
  ApiRig sound, early({"telemetry-before-consent"}), deaf({"optout-ignored"});
  EXPECT_FALSE(sound.device->may_send_telemetry());
  EXPECT_TRUE(early.device->may_send_telemetry());
  for (auto* rig : {&sound, &deaf}) {
    const auto token = owner(*rig);
    EXPECT_FALSE(rig->device->may_send_telemetry()) << "nobody was asked";
    ASSERT_EQ(rig->call("PUT", "/api/consent", {{"telemetry", true}}, token).status, 200u);
    EXPECT_TRUE(rig->device->may_send_telemetry());
    ASSERT_EQ(rig->call("PUT", "/api/consent", {{"telemetry", false}}, token).status, 200u);
    EXPECT_EQ(rig->device->may_send_telemetry(), rig == &deaf);
  }
}

}  // namespace
}  // namespace ht1
