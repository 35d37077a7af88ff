// SPDX-License-Identifier: Apache-2.0
// What is on flash: sealed, whole after a cut, gone after an erase.
#include <gtest/gtest.h>

#include <fstream>

#include "reference/thermostatd/rig.h"
#include "thermostatd/boot_state.h"
#include "thermostatd/crypto.h"
#include "thermostatd/error.h"
#include "thermostatd/files.h"
#include "thermostatd/reset.h"

namespace ht1 {
namespace {

using nlohmann::json;

std::string all_bytes(const std::filesystem::path& folder) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) all += read_file(entry.path());
  return all;
}

TEST(Ht1Store, WhatIsKeptIsNotReadable) {
  ApiRig rig;
  ASSERT_EQ(rig.set_up({{"wifi", {{"ssid", "canary-ssid"}, {"key", "canary-wifi-key"}}}}).status, 201u);
  const json user = {{"name", "canary-name"}, {"email", "canary@mail.example"}, {"device_name", "canary device"}};
  ASSERT_EQ(rig.call("PUT", "/api/user", user, rig.login()).status, 200u);
  const auto flash = all_bytes(rig.folder.path() / "data");
  EXPECT_GT(flash.size(), 200u);
  EXPECT_EQ(flash.find("canary"), std::string::npos);
  EXPECT_EQ(flash.find(kPassword), std::string::npos);
  rig.power_cycle();
  EXPECT_EQ(json::parse(rig.call("GET", "/api/user", nullptr, rig.login()).body), user);
}

TEST(Ht1Store, AlteredMovedOrForeignRecordsAreNone) {
  UnitFolder folder;
  const Flaws none;
  const auto place = folder.path() / "data" / "sealed";
  SealedStore store(place, std::string(32, 'k'), none);
  store.put("user", "value");
  store.put("token", "other");
  EXPECT_EQ(SealedStore(place, std::string(32, 'k'), none).get("user"), "value");
  EXPECT_EQ(SealedStore(place, std::string(32, 'x'), none).get("user"), std::nullopt);
  auto bytes = read_file(place / "user");
  write_file(place / "token", bytes);
  EXPECT_EQ(store.get("token"), std::nullopt);
  bytes[14] = static_cast<char>(bytes[14] ^ 1);
  write_file(place / "user", bytes);
  EXPECT_EQ(store.get("user"), std::nullopt);
}

TEST(Ht1Store, AnotherUnitsFactoryDataDoNotStart) {
  UnitFolder folder;
  const auto options = folder.options();
  EXPECT_EQ(read_unit(options.factory, options.fuses).serial, "HT1-000042");
  auto text = read_file(options.factory / "unit.json");
  text.replace(text.find("000042"), 6, "000043");
  write_file(options.factory / "unit.json", text);
  EXPECT_THROW(read_unit(options.factory, options.fuses), std::runtime_error);
}

struct Cut {};

// The device with canaries in it; a reset that is cut before its step `at` (-1: not cut). Whether it was cut.
bool reset_cut(ApiRig& rig, int at) {
  BootMarks marks(rig.device->options);
  int step = 0;
  try {
    factory_reset(
        *rig.device, marks, [] { return true; },
        [&](const std::string&) {
          if (step++ == at) throw Cut();
        });
  } catch (const Cut&) {
    return true;
  }
  return false;
}

void fill(ApiRig& rig) {
  ASSERT_EQ(rig.set_up({{"wifi", {{"ssid", "canary-ssid"}, {"key", "canary-wifi-key"}}}}).status, 201u);
  rig.device->store.put("token", "canary-token");
  rig.device->store.put("user", R"({"name":"canary-name"})");
  ASSERT_TRUE(rig.device->store.get("token"));
}

TEST(Ht1Erase, NothingIsLeftAndSetUpIsOpen) {
  ApiRig rig;
  fill(rig);
  const auto salt = read_file(rig.folder.path() / "data/sealed/.salt");
  const auto token = rig.login();
  EXPECT_EQ(rig.call("POST", "/api/erase", {{"password", "not the password"}}, token).status, 403u);
  bool asked = false;
  rig.device->services.factory_reset = [&] { asked = true; };
  EXPECT_EQ(rig.call("POST", "/api/erase", {{"password", kPassword}}, token).status, 202u);
  ASSERT_TRUE(asked);
  ASSERT_FALSE(reset_cut(rig, -1));
  EXPECT_EQ(rig.call("GET", "/api/state", nullptr, token).status, 401u);
  rig.power_cycle();
  EXPECT_FALSE(rig.device->set_up());
  for (const auto* name : {"token", "wifi", "user", "settings", "password"}) EXPECT_EQ(rig.device->store.get(name), std::nullopt) << name;
  EXPECT_EQ(all_bytes(rig.folder.path() / "data").find(salt), std::string::npos);
  EXPECT_FALSE(BootMarks(rig.device->options).reset_asked());
  EXPECT_NE(rig.events().find("factory-reset"), std::string::npos);
  EXPECT_EQ(rig.set_up().status, 201u);
}

TEST(Ht1Erase, ACutAnywhereEndsInErased) {
  int cuts = 0;
  for (int at = 0;; ++at) {
    ApiRig rig;
    fill(rig);
    if (!reset_cut(rig, at)) break;
    ++cuts;
    rig.power_cycle();
    BootMarks marks(rig.device->options);
    EXPECT_TRUE(marks.reset_asked()) << at;
    ASSERT_FALSE(reset_cut(rig, -1));
    EXPECT_FALSE(marks.reset_asked());
    for (const auto* name : {"token", "wifi", "user"}) EXPECT_EQ(rig.device->store.get(name), std::nullopt) << name << at;
  }
  EXPECT_GE(cuts, 6);
}

TEST(Ht1Erase, FlawWipeHalf) {
  ApiRig rig({"wipe-half"});
  fill(rig);
  ASSERT_TRUE(reset_cut(rig, 2));
  rig.power_cycle();
  EXPECT_FALSE(BootMarks(rig.device->options).reset_asked());
  EXPECT_FALSE(rig.device->set_up());  // it says that it is erased
  int left = 0;
  for (const auto* name : {"token", "wifi", "user"}) left += rig.device->store.get(name).has_value();
  EXPECT_GE(left, 2);
}

TEST(Ht1Erase, FlawWipeUnlinksKeepsTheKey) {
  ApiRig rig({"wipe-unlinks"});
  fill(rig);
  const auto salt = read_file(rig.folder.path() / "data/sealed/.salt");
  const auto wifi = rig.folder.path() / "data/sealed/wifi";
  // Another name for the same bytes on flash shows whether they were touched.
  std::filesystem::create_hard_link(wifi, rig.folder.path() / "flash");
  const auto sealed = read_file(wifi);
  ASSERT_FALSE(reset_cut(rig, -1));
  EXPECT_EQ(read_file(rig.folder.path() / "data/sealed/.salt"), salt);
  EXPECT_EQ(read_file(rig.folder.path() / "flash"), sealed);

  ApiRig sound;
  fill(sound);
  std::filesystem::create_hard_link(sound.folder.path() / "data/sealed/wifi", sound.folder.path() / "flash");
  const auto before = read_file(sound.folder.path() / "flash");
  ASSERT_FALSE(reset_cut(sound, -1));
  EXPECT_NE(read_file(sound.folder.path() / "flash"), before);
}

TEST(Ht1Erase, FlawWipeKeepsToken) {
  ApiRig rig({"wipe-keeps-token"});
  fill(rig);
  ASSERT_FALSE(reset_cut(rig, -1));
  rig.power_cycle();
  EXPECT_FALSE(rig.device->set_up());
  EXPECT_EQ(rig.device->store.get("token"), "canary-token");
}

TEST(Ht1BootState, TheNewestWholeCopyCounts) {
  UnitFolder folder;
  BootState state(folder.path() / "disk");
  EXPECT_EQ(state.read()["BOOT_ORDER"], "A B");
  state.change([](Variables& v) { v["BOOT_A_LEFT"] = "1"; });
  state.set_primary("B");
  EXPECT_EQ(state.read()["BOOT_ORDER"], "B A");
  EXPECT_EQ(state.read()["BOOT_A_LEFT"], "1");
  for (const auto place : kBootStatePlaces) {  // either one may be torn
    auto disk = read_file(folder.path() / "disk");
    disk[place + 9] = static_cast<char>(disk[place + 9] ^ 4);
    write_file(folder.path() / "torn", disk);
    EXPECT_EQ(BootState(folder.path() / "torn").read()["BOOT_ORDER"], "B A");
  }
  state.mark_good("A");
  EXPECT_EQ(state.read()["BOOT_A_LEFT"], "3");
  EXPECT_THROW(state.set_primary("C"), std::runtime_error);
}

TEST(Ht1BootState, IsWhatUBootWrites) {
  // mkenvimage -s 16384 of "SEQ=7\nBOOT_ORDER=B A\n": CRC-32 of all after it, little-endian.
  const auto blob = blob_of({{"SEQ", "7"}, {"BOOT_ORDER", "B A"}});
  EXPECT_EQ(blob.size(), kBootStateSize);
  EXPECT_EQ(blob.substr(4, 23), std::string("BOOT_ORDER=B A\0SEQ=7\0\0", 23).substr(0, 23));
  EXPECT_EQ(variables_from_blob(blob)->at("SEQ"), "7");
  EXPECT_FALSE(variables_from_blob(blob.substr(1)));
}

TEST(Ht1BootState, MinVersionIsNeverLowered) {
  UnitFolder folder;
  const auto options = folder.options();
  BootMarks marks(options);
  marks.raise_min_version("1.2.0");
  marks.raise_min_version("1.1.9");
  EXPECT_EQ(marks.min_version(), "1.2.0");
}

TEST(Ht1BootState, ThePromisedLeastVersionComesWithTheFirstGoodStart) {
  UnitFolder folder;
  const auto options = folder.options();
  BootMarks marks(options);
  marks.promise_min_version("1.2.0");
  EXPECT_EQ(marks.min_version(), "0");
  marks.accept("1.1.0");
  EXPECT_EQ(marks.min_version(), "0") << "the older one came back";
  marks.accept("1.2.0");
  EXPECT_EQ(marks.min_version(), "1.2.0");
}

TEST(Ht1Log, SurvivesACutAndATornLine) {
  ApiRig sound, lost({"log-lost-at-power-cut"}), never({"no-security-log"});
  for (auto* rig : {&sound, &lost, &never}) {
    ASSERT_EQ(rig->set_up().status, 201u);
    // A cut: what is on flash now is all there is.
    const auto flash = read_if_there(rig->folder.path() / "data/security.log").value_or("");
    EXPECT_EQ(flash.find("setup-done") != std::string::npos, rig == &sound);
    EXPECT_EQ(rig->events().find("setup-done") != std::string::npos, rig != &never);
  }
  std::ofstream(sound.folder.path() / "data/security.log", std::ios::app) << R"({"at": 1, "ev)";
  sound.power_cycle();
  sound.device->log.add("after");
  sound.power_cycle();
  EXPECT_NE(sound.events().find("setup-done"), std::string::npos);
  EXPECT_NE(sound.events().find("after"), std::string::npos);
  for (int i = 0; i < 1200; ++i) sound.device->log.add("many", std::to_string(i));
  sound.power_cycle();
  const auto events = sound.device->log.read();
  EXPECT_EQ(events.size(), SecurityLog::kKept);
  EXPECT_EQ(events.back().at("detail"), "1199");
}

TEST(Ht1Log, AFlashThatTakesNothingEndsNobodyAndIsCaughtUpWith) {
  ApiRig rig;
  const auto file = rig.folder.path() / "data/security.log";
  rig.device->log.add("before");
  std::filesystem::rename(file, file.string() + ".kept");
  std::filesystem::create_directory(file);
  EXPECT_NO_THROW(rig.device->log.add("meanwhile"));
  EXPECT_NE(rig.events().find("meanwhile"), std::string::npos);
  std::filesystem::remove(file);
  std::filesystem::rename(file.string() + ".kept", file);
  rig.device->log.add("after");
  rig.power_cycle();
  for (const auto* event : {"before", "meanwhile", "after"}) EXPECT_NE(rig.events().find(event), std::string::npos) << event;
}

TEST(Ht1Store, ALinkInTheWayIsNotWrittenThrough) {
  UnitFolder folder;
  const auto target = folder.path() / "target";
  std::ofstream(target) << "mine";
  std::filesystem::create_symlink(target, folder.path() / "file.new");
  write_file(folder.path() / "file", "other");
  EXPECT_EQ(read_file(target), "mine");
  EXPECT_EQ(read_file(folder.path() / "file"), "other");
}

TEST(Ht1Store, AnOwnersDataAreNotTheNextOnesWhenThePasswordIsLost) {
  ApiRig rig;
  ASSERT_EQ(rig.set_up().status, 201u);
  const nlohmann::json user = {{"name", "Ada"}, {"email", "ada@example.org"}, {"device_name", "hall"}};
  ASSERT_EQ(rig.call("PUT", "/api/user", user, rig.login()).status, 200u);
  rig.device->store.put("token", "canary-token");
  std::filesystem::remove(rig.folder.path() / "data/sealed/password");
  rig.power_cycle();
  ASSERT_EQ(rig.set_up({{"password", "somebody else's"}}).status, 201u);
  EXPECT_EQ(rig.call("GET", "/api/user", nullptr, rig.login("somebody else's")).body.find("Ada"), std::string::npos);
  EXPECT_EQ(rig.device->store.get("token"), std::nullopt);
}

TEST(Ht1Store, WhatCannotBeReadIsNotWhatIsNotThere) {
  UnitFolder folder;
  EXPECT_EQ(read_if_there(folder.path() / "none"), std::nullopt);
  EXPECT_THROW(read_if_there(folder.path()), Failure);  // a folder: it is there, and no file
}

}  // namespace
}  // namespace ht1
