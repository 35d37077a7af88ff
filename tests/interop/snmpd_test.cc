// SPDX-License-Identifier: Apache-2.0
// snmp-pdu against Debian's snmpd, whose `pass` script keeps each outlet in a file, with snmpset and snmpget for witnesses.
#include <signal.h>

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/loopback_socket.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kApc = ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4";
const std::string kPoe = ".1.3.6.1.2.1.105.1.1.1.3.1";
const std::string kDetection = ".1.3.6.1.2.1.105.1.1.1.6.1";

// One state a file, DIR/<oid>; a set of anything but 1 or 2 is wrongValue; DIR/lie: taken, and nothing done; DIR/slow: seconds. The
// detection of a PoE port follows its AdminEnable, unless DIR/stuck is there.
const char* const kPass = R"sh(#!/bin/sh
D=$(dirname "$0")
[ -f "$D/slow" ] && sleep $(cat "$D/slow")
case $1 in
-g) [ -f "$D/$2" ] && { echo "$2"; echo integer; cat "$D/$2"; } ;;
-s) if [ ! -f "$D/$2" ]; then echo not-writable
    elif [ "$4" != 1 ] && [ "$4" != 2 ]; then echo wrong-value
    elif [ ! -f "$D/lie" ]; then
      echo "$4" > "$D/$2"
      case $2 in .1.3.6.1.2.1.105.*) [ -f "$D/stuck" ] || echo $(($4 == 1 ? 3 : 1)) > "$D/.1.3.6.1.2.1.105.1.1.1.6.1.${2##*.}" ;; esac
    fi ;;
esac
exit 0
)sh";

class SnmpdTest : public testing::Test {
 protected:
  void SetUp() override {
    write("pass.sh", kPass);
    std::filesystem::permissions(dir_ / "pass.sh", std::filesystem::perms::owner_all);
    for (int n = 1; n <= 4; ++n) {
      write(kApc + "." + std::to_string(n), "2\n");
      write(kPoe + "." + std::to_string(n), "2\n");
      write(kDetection + "." + std::to_string(n), "1\n");
    }
    port_ = free_port(SOCK_DGRAM);
    const auto pass = (dir_ / "pass.sh").string();
    write("snmpd.conf", "agentaddress udp:127.0.0.1:" + std::to_string(port_) +
                            "\nrwcommunity private 127.0.0.1\nrocommunity onlook 127.0.0.1\n"
                            "createUser bob SHA \"auth-pass-1\" AES \"priv-pass-1\"\nrwuser bob priv\n"
                            "createUser eve SHA-256 \"auth-pass-2\"\nrwuser eve auth\n" +
                            "pass " + kApc + " " + pass + "\npass " + kPoe + " " + pass + "\npass " + kDetection + " " + pass + "\n");
    ProcessOptions options;
    options.program = "/usr/sbin/snmpd";
    options.arguments = {"-f", "-Lf", (dir_ / "log").string(), "-C", "-c", (dir_ / "snmpd.conf").string(), "-p", (dir_ / "pid").string()};
    options.environment = {{"SNMP_PERSISTENT_DIR", (dir_ / "persistent").string()}, {"MIBS", ""}};
    options.output_file = dir_ / "output";
    std::filesystem::create_directory(dir_ / "persistent");
    snmpd_ = ChildProcess::start(options);
    const Deadline deadline = Deadline::in(20s);
    while (tool("snmpget", {"-c", "onlook", kApc + ".1"}, false).empty()) ASSERT_FALSE(deadline.expired()) << "snmpd does not answer";
  }

  std::string tool(const std::string& program, const std::vector<std::string>& arguments, bool must = true) const {
    ProcessOptions options;
    options.program = program;
    options.arguments = {"-v2c", "-On", "-Oqv", "-t", "1", "-r", "1", arguments[0], arguments[1], "127.0.0.1:" + std::to_string(port_)};
    options.arguments.insert(options.arguments.end(), arguments.begin() + 2, arguments.end());
    options.environment = {{"MIBS", ""}};
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(20s));
    if (must) {
      EXPECT_EQ(result.status.code, 0) << result.output;
    }
    return result.status.code == 0 ? result.output : "";
  }
  std::unique_ptr<Instrument> open(const json& changes = json::object()) const {
    InstrumentConfig config{"pdu", "snmp-pdu", json::object()};
    const auto& driver = *find_driver(all_drivers(), "snmp-pdu");
    for (const auto& key : driver.keys) config.config[key.name] = key.fallback;
    config.config.update({{"host", "127.0.0.1"}, {"port", port_}, {"outlets", 4}});
    config.config.update(changes);
    EXPECT_EQ(driver.objection(config), "");
    return driver.open(config, {});
  }
  std::string state(const std::string& oid) const {
    std::string text;
    std::ifstream(dir_ / oid) >> text;
    return text;
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(dir_ / name) << text; }
  static SwitchResult set(Instrument& pdu, const std::string& channel, bool on) { return pdu.set(channel, on, json::object(), soon()); }
  static Deadline soon() { return Deadline::in(10s); }

  TempDir dir_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> snmpd_;
};

TEST_F(SnmpdTest, AnOutletIsSwitchedAndSnmpgetSeesIt) {
  const auto pdu = open();
  EXPECT_EQ(set(*pdu, "2", true).read_back, true);
  EXPECT_EQ(state(kApc + ".2"), "1");
  EXPECT_EQ(state(kApc + ".1"), "2");
  EXPECT_THAT(tool("snmpget", {"-c", "private", kApc + ".2"}), HasSubstr("1"));
  tool("snmpset", {"-c", "private", kApc + ".2", "i", "2"});
  EXPECT_EQ(pdu->get("2", soon()), false);
  EXPECT_EQ(set(*pdu, "2", false).read_back, false);
}

TEST_F(SnmpdTest, APoePortTellsWhatItDetects) {
  const auto pdu = open({{"profile", "rfc3621"}});
  const auto result = set(*pdu, "3", true);
  EXPECT_EQ(result.read_back, true);
  EXPECT_EQ(result.details.at("detection"), "delivering-power");
  EXPECT_EQ(state(kPoe + ".3"), "1");
  EXPECT_EQ(set(*pdu, "3", false).read_back, false);
  EXPECT_EQ(state(kPoe + ".3"), "2");
}

TEST_F(SnmpdTest, APoePortThatGoesOnDeliveringIsNotOff) {
  const auto pdu = open({{"profile", "rfc3621"}, {"settle_ms", 300}});
  set(*pdu, "3", true);
  write("stuck", "");
  const auto result = set(*pdu, "3", false);
  EXPECT_EQ(state(kPoe + ".3"), "2") << "it says of AdminEnable what it was told";
  EXPECT_EQ(result.details.at("detection"), "delivering-power");
  EXPECT_EQ(result.read_back, true);
}

TEST_F(SnmpdTest, VersionsAndCredentials) {
  EXPECT_EQ(set(*open({{"version", "1"}}), "1", true).read_back, true);
  const json bob{{"version", "3"},   {"user", "bob"},
                 {"auth", "sha"},    {"auth_password", "auth-pass-1"},
                 {"privacy", "aes"}, {"privacy_password", "priv-pass-1"}};
  const auto pdu = open(bob);
  EXPECT_EQ(set(*pdu, "1", false).read_back, false);
  const json eve{{"version", "3"}, {"user", "eve"}, {"auth", "sha256"}, {"auth_password", "auth-pass-2"}};
  EXPECT_EQ(set(*open(eve), "1", true).read_back, true);
  EXPECT_EQ(set(*pdu, "1", false).read_back, false) << "two users of one agent at once";
}

TEST_F(SnmpdTest, WrongCredentialsOfVersion3AreRefusedAndMended) {
  const json bob{{"version", "3"},   {"user", "bob"},
                 {"auth", "sha"},    {"auth_password", "auth-pass-1"},
                 {"privacy", "aes"}, {"privacy_password", "priv-pass-1"}};
  for (const json& wrong : {json{{"auth_password", "auth-pass-9"}}, json{{"user", "mallory"}}, json{{"privacy_password", "priv-pass-9"}}}) {
    auto changed = bob;
    changed.update(wrong);
    changed["timeout_ms"] = 300;  // of those alone that get no answer
    for (int i = 0; i < 2; ++i) {
      const auto error = error_of([&] { open(changed); });
      EXPECT_THAT(error.kind(), testing::AnyOf(ErrorKind::PermissionDenied, ErrorKind::Timeout)) << error.what();
      EXPECT_THAT(error.what(), AllOf(Not(HasSubstr("pass-")), HasSubstr("outlets 'pdu'")));
      EXPECT_EQ(open(bob)->get("1", soon()), false) << "the library must not go on with the wrong password";
    }
  }
  const auto pdu = open(bob);
  auto changed = bob;
  changed["auth_password"] = "auth-pass-9";
  EXPECT_EQ(error_of([&] { open(changed); }).kind(), ErrorKind::Config) << "one user has one password";
  EXPECT_EQ(set(*pdu, "1", true).read_back, true);
}

TEST_F(SnmpdTest, AWrongCommunityIsATimeoutThatSaysSo) {
  const auto error = error_of([&] { open({{"community", "guess"}, {"timeout_ms", 200}}); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("wrong community"), Not(HasSubstr("guess"))));
}

TEST_F(SnmpdTest, ACommunityThatMayOnlyReadIsRefused) {
  const auto pdu = open({{"community", "onlook"}});
  EXPECT_EQ(pdu->get("1", soon()), false);
  EXPECT_EQ(error_of([&] { set(*pdu, "1", true); }).kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(state(kApc + ".1"), "2");
}

TEST_F(SnmpdTest, WhatTheAgentRefusesIsAnError) {
  EXPECT_EQ(error_of([&] { set(*open({{"outlets", 9}}), "9", true); }).kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(error_of([&] { open({{"outlets", 9}})->get("9", soon()); }).kind(), ErrorKind::NotFound);
  const auto generic = open({{"profile", "generic"}, {"oid", kApc.substr(1) + ".{n}"}, {"on_value", "5"}, {"off_value", "2"}});
  const auto error = error_of([&] { set(*generic, "1", true); });
  EXPECT_EQ(error.kind(), ErrorKind::Config) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("wrongValue"));
}

TEST_F(SnmpdTest, ASlowAgentIsATimeoutByTheDeadlineAndNeverThePreviousAnswer) {
  const auto pdu = open();
  set(*pdu, "1", true);
  write("slow", "1");
  const auto begin = real_clock().now();
  EXPECT_EQ(error_of([&] { pdu->set("1", false, json::object(), Deadline::in(300ms)); }).kind(), ErrorKind::Timeout);
  EXPECT_LT(real_clock().now() - begin, 2s);
  std::filesystem::remove(dir_ / "slow");
  const auto client = [&] { return pdu->set("1", true, json::object(), Deadline::in(30s)); };
  EXPECT_EQ(client().read_back, true);
  EXPECT_EQ(state(kApc + ".1"), "1");
}

TEST_F(SnmpdTest, AnAgentThatLiesIsFoundOut) {
  const auto pdu = open({{"settle_ms", 200}});
  set(*pdu, "1", true);
  write("lie", "");
  EXPECT_EQ(set(*pdu, "1", false).read_back, true);
}

TEST_F(SnmpdTest, AnAgentThatHasGoneIsATimeoutAndComesBack) {
  const auto impatient = open({{"timeout_ms", 200}}), pdu = open();
  snmpd_->signal_group(SIGSTOP);
  EXPECT_EQ(error_of([&] { set(*impatient, "1", true); }).kind(), ErrorKind::Timeout);
  EXPECT_EQ(error_of([&] { pdu->set("1", true, json::object(), Deadline::in(200ms)); }).kind(), ErrorKind::Timeout);
  snmpd_->signal_group(SIGCONT);
  EXPECT_EQ(set(*pdu, "1", true).read_back, true);
}

}  // namespace
}  // namespace hilcop
