// SPDX-License-Identifier: Apache-2.0
// Power ports made of outputs with their polarity, several outputs, an input or a meter that verifies; straps; meters. Over a keeper
// in a process of its own and a relay board whose contacts are files.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "bench/bench.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "tests/keeper/keeper_fixture.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Reads the file "<channel>" as a level, or as a figure. A figure in "setting" is what adjust() set.
class FileSense final : public Instrument {
 public:
  explicit FileSense(const InstrumentConfig& config) : dir_(config.config.at("dir").get<std::string>()) {}
  std::vector<Channel> channels() const override { return {{"sense", ChannelKind::Input, ""}, {"current", ChannelKind::Meter, ""}}; }
  SwitchResult set(const std::string& channel, bool, const json&, Deadline) override {
    throw Error(ErrorKind::Unsupported, channel, "is no output");
  }
  std::optional<bool> get(const std::string& channel, Deadline) override { return FileRelay::is_on(dir_, channel); }
  Reading measure(const std::string& channel, Deadline) override {
    std::string value;
    std::ifstream(dir_ / channel) >> value;
    return {std::stod(value), "A", real_clock().now()};
  }

 private:
  std::filesystem::path dir_;
};

const Driver& file_sense_driver() {
  static const Driver driver{
      .name = "file-sense",
      .summary = "",
      .keys = {},
      .identity = [](const InstrumentConfig& config) { return "sense:" + config.config.at("dir").get<std::string>(); },
      .open = [](const InstrumentConfig& config, InstrumentEvent) -> std::unique_ptr<Instrument> {
        return std::make_unique<FileSense>(config);
      }};
  return driver;
}

class PowerPortTest : public KeeperTest {
 protected:
  DriverTable drivers() const override {
    static const Driver* const table[] = {&file_relay_driver(), &file_sense_driver()};
    return table;
  }

  // A DUT "d" without a console on relay board and sensors.
  BenchConfig bench() const {
    BenchConfig config;
    config.name = "b" + dir_.path().filename().string();
    for (const char* driver : {"file-relay", "file-sense"})
      config.instruments[driver] = {driver, driver, {{"dir", dir_.path().string()}, {"slow_ms", 0}}};
    auto& dut = config.duts["d"];
    dut.name = "d";
    dut.power = PowerConfig{};
    dut.power->verify_within = 300ms;
    return config;
  }
  static PowerPole pole(const std::string& channel, bool normally_closed = false) { return {{"file-relay", channel}, normally_closed}; }

  std::unique_ptr<Bench> open(const BenchConfig& config) {
    connect();  // the keeper is there by then
    OpenOptions options;
    options.keeper.socket = dir_ / "keeper.sock";
    options.keeper.start_on_demand = false;
    return Bench::open(config, options, drivers(), sink_);
  }
  void write(const std::string& file, const std::string& text) const { std::ofstream(dir_ / file) << text; }
  int events(const std::string& kind) const {
    int count = 0;
    for (const auto& event : sink_.events()) count += event.kind == kind ? 1 : 0;
    return count;
  }

  MemorySink sink_;
};

TEST_F(PowerPortTest, ANormallyClosedContactPowersTheDutWhileTheRelayIsOff) {
  auto config = bench();
  config.duts.at("d").power->poles = {pole("1", true)};
  config.duts.at("d").power->min_off = 200ms;
  auto opened = open(config);
  EXPECT_TRUE(is_on("1")) << "its safe state is off: the relay opens its contact";
  auto& power = opened->dut("d").power();
  EXPECT_EQ(power.state(soon()), false);
  const auto on = power.on(soon());
  EXPECT_FALSE(is_on("1"));
  EXPECT_EQ(on.result.read_back, true);
  EXPECT_EQ(on.verified_by, "read-back");
  EXPECT_EQ(power.state(soon()), true);
  const auto off = power.off(json::object(), soon());
  EXPECT_TRUE(is_on("1"));
  EXPECT_EQ(off.verified_by, "read-back");
  // The discharge time is that of the DUT's off, not the relay's.
  const auto again = power.on(soon());
  EXPECT_GE(again.result.commanded - off.result.acknowledged, 200ms);
  opened->close();
  EXPECT_TRUE(is_on("1")) << "closing cuts the power, which is the relay's on";
}

TEST_F(PowerPortTest, AKilledHolderOfANormallyClosedContactLeavesTheDutWithoutPower) {
  auto config = bench();
  config.duts.at("d").power->poles = {pole("1", true)};
  const pid_t holder = in_process([&] {
    auto opened = open(config);
    opened->dut("d").power().on(soon());
    std::ofstream(dir_ / "ready") << "x";
    ::pause();
  });
  wait_for_file("ready");
  EXPECT_FALSE(is_on("1"));
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  for (const Deadline deadline = soon(); !is_on("1") && !deadline.expired();) wait_until(deadline.at_most(2ms));
  EXPECT_TRUE(is_on("1"));
}

TEST_F(PowerPortTest, AKilledKeeperKnowsThePolarityWhenItIsBack) {
  auto config = bench();
  config.duts.at("d").power->poles = {pole("1", true)};
  // First: a process is not forked off beside a bench's threads.
  const pid_t next_keeper = in_process([this] {
    wait_for_file("ready");
    serve(60s);
  });
  {
    auto opened = open(config);
    opened->dut("d").power().on(soon());
    ::kill(keeper_, SIGKILL);
    ::waitpid(keeper_, nullptr, 0);
  }
  keeper_ = next_keeper;
  EXPECT_FALSE(is_on("1"));
  write("ready", "");
  for (const Deadline deadline = soon(); !is_on("1") && !deadline.expired();) wait_until(deadline.at_most(2ms));
  EXPECT_TRUE(is_on("1"));
}

TEST_F(PowerPortTest, TwoPolesAreSwitchedTogether) {
  auto config = bench();
  config.duts.at("d").power->poles = {pole("1"), pole("2")};
  auto opened = open(config);
  auto& power = opened->dut("d").power();
  const auto on = power.on(soon());
  EXPECT_TRUE(is_on("1") && is_on("2"));
  EXPECT_EQ(on.result.read_back, true);
  EXPECT_EQ(power.state(soon()), true);
  write("2", "off");  // one of them falls
  EXPECT_EQ(power.state(soon()), false);
  power.off(json::object(), soon());
  EXPECT_FALSE(is_on("1") || is_on("2"));
  power.on(soon());
  power.off_at(real_clock().now() + 50ms, json::object(), soon());
  EXPECT_FALSE(is_on("1") || is_on("2"));
  EXPECT_EQ(error_of([&] { power.arm_cut({{"trigger", "disk-write"}}, soon()); }).kind(), ErrorKind::Unsupported);
}

TEST_F(PowerPortTest, APoleThatCannotBeClosedLeavesNoneClosed) {
  auto config = bench();
  config.duts.at("d").power->poles = {pole("1"), pole("2")};
  auto opened = open(config);
  std::filesystem::remove(dir_ / "2");
  std::filesystem::create_directory(dir_ / "2");  // the contact cannot be written: it stays open
  auto& power = opened->dut("d").power();
  try {
    power.on(soon());
    ADD_FAILURE() << "one pole is open";
  } catch (const Error&) {
  }
  EXPECT_FALSE(is_on("1")) << "the other pole was left closed";
  std::filesystem::remove(dir_ / "2");
}

TEST_F(PowerPortTest, AnInputTellsARelayThatDoesNothing) {
  auto config = bench();
  auto& dut = config.duts.at("d");
  dut.power->poles = {pole("1")};
  dut.power->verify_input = "supply";
  dut.inputs["supply"].role = {"file-sense", "sense"};
  auto opened = open(config);
  auto& power = opened->dut("d").power();
  const auto stuck_off = error_of([&] { power.on(soon()); });
  EXPECT_EQ(stuck_off.kind(), ErrorKind::Protocol);
  EXPECT_THAT(stuck_off.what(), HasSubstr("was switched on but input 'supply' says otherwise"));
  write("sense", "on");
  const auto on = power.on(soon());
  EXPECT_EQ(on.verified_by, "read-back, input supply");
  EXPECT_THAT(error_of([&] { power.off(json::object(), soon()); }).what(), HasSubstr("was switched off but input 'supply' says otherwise"));
  write("sense", "off");
  EXPECT_EQ(power.off(json::object(), soon()).verified_by, "read-back, input supply");
  EXPECT_EQ(events("power.edge"), 4) << "an edge happened, whatever was wrong with it";
}

TEST_F(PowerPortTest, AMeterTellsAStuckRelay) {
  auto config = bench();
  auto& dut = config.duts.at("d");
  dut.power->poles = {pole("1")};
  dut.power->verify_meter = PowerMeter{"supply", 0.02};
  dut.meters["supply"] = {"file-sense", "current"};
  auto opened = open(config);
  auto& power = opened->dut("d").power();
  write("current", "0.31");
  EXPECT_EQ(power.on(soon()).verified_by, "read-back, meter supply");
  EXPECT_THAT(error_of([&] { power.off(json::object(), soon()); }).what(), HasSubstr("meter 'supply' shows 0.31"));
  write("current", "0.004");
  EXPECT_EQ(power.off(json::object(), soon()).verified_by, "read-back, meter supply");
  const auto reading = opened->dut("d").meter("supply").read(soon());
  EXPECT_DOUBLE_EQ(reading.value, 0.004);
  EXPECT_EQ(reading.unit, "A");
  EXPECT_GE(events("meter.reading"), 3);
  EXPECT_THAT(error_of([&] { opened->dut("d").meter("suply"); }).what(), HasSubstr("choose one of: supply"));
}

TEST_F(PowerPortTest, AMeterThatShowsNoNumberProvesNothing) {
  auto config = bench();
  auto& dut = config.duts.at("d");
  dut.power->poles = {pole("1")};
  dut.power->verify_meter = PowerMeter{"supply", 0.02};
  dut.meters["supply"] = {"file-sense", "current"};
  auto opened = open(config);
  for (const char* shown : {"nan", "inf", "-inf"}) {
    write("current", shown);
    EXPECT_THAT(error_of([&] { opened->dut("d").power().off(json::object(), soon()); }).what(), HasSubstr("shows no number")) << shown;
  }
}

TEST_F(PowerPortTest, WhatHasNothingToSetSaysSo) {
  auto config = bench();
  config.duts.at("d").power->poles = {pole("2")};
  auto opened = open(config);
  EXPECT_EQ(error_of([&] { opened->dut("d").power().adjust({{"volts", 4.2}}, soon()); }).kind(), ErrorKind::Unsupported);
}

TEST_F(PowerPortTest, StrapsAreHeldTogetherWhilePowerComesOn) {
  auto config = bench();
  auto& dut = config.duts.at("d");
  dut.power->poles = {pole("1")};
  dut.buttons["recovery"].role = {"file-relay", "2"};
  dut.outputs["strap"].role = {"file-relay", "3"};
  dut.outputs["strap"].active_low = true;
  auto opened = open(config);
  EXPECT_TRUE(is_on("3")) << "a line that is asserted when low rests high";
  auto& unit = opened->dut("d");
  const auto pressed = unit.set_together({"recovery", "strap"}, true, soon());
  ASSERT_EQ(pressed.size(), 2u);
  EXPECT_TRUE(is_on("2"));
  EXPECT_FALSE(is_on("3"));
  unit.power().on(soon());
  unit.set_together({"strap", "recovery"}, false, soon());
  EXPECT_FALSE(is_on("2"));
  EXPECT_TRUE(is_on("3"));
  EXPECT_EQ(events("button.press"), 1);
  EXPECT_EQ(events("output.set"), 2);
  const auto unknown = error_of([&] { unit.set_together({"recovery", "sparp"}, true, soon()); });
  EXPECT_THAT(unknown.what(), HasSubstr("choose one of: recovery, strap"));
  EXPECT_FALSE(is_on("2")) << "none is pressed where one is not there";
}

TEST_F(PowerPortTest, AHeldButtonTellsHowLongItWasHeld) {
  auto config = bench();
  auto& dut = config.duts.at("d");
  dut.power.reset();
  dut.buttons["reset"].role = {"file-relay", "2"};
  auto opened = open(config);
  const auto held = opened->dut("d").button("reset").hold(120ms, soon());
  EXPECT_GE(held, 120ms);
  EXPECT_FALSE(is_on("2"));
  std::ifstream log(dir_ / "log");
  std::string channel, state;
  std::int64_t on = 0, off = 0;
  for (std::int64_t at = 0; log >> channel >> state >> at;) (state == "on" ? on : off) = at;
  EXPECT_NEAR(static_cast<double>((Nanoseconds(off - on)).count()), static_cast<double>(held.count()), 5e6);
}

TEST_F(PowerPortTest, AKeyIsLetGoWhenNobodyAcknowledgedThatItIsPressed) {
  auto config = bench();
  auto& dut = config.duts.at("d");
  dut.power.reset();
  dut.buttons["key"].role = {"file-relay", "2"};
  dut.reset = OutputConfig{{"file-relay", "3"}, false, SafeState::Off};
  auto opened = open(config);
  write("mute", "");
  EXPECT_EQ(error_of([&] { opened->dut("d").button("key").hold(50ms, soon()); }).kind(), ErrorKind::Timeout);
  EXPECT_EQ(error_of([&] { opened->dut("d").reset(50ms, soon()); }).kind(), ErrorKind::Timeout);
  std::stringstream asked;
  asked << std::ifstream(dir_ / "asked").rdbuf();
  EXPECT_EQ(asked.str(), "2 on\n2 off\n3 on\n3 off\n");
}

TEST_F(PowerPortTest, ClosingAfterAnInterruptWaitsUntilThePowerIsOff) {
  auto config = bench();
  config.instruments.at("file-relay").config["slow_ms"] = 200;
  config.duts.at("d").power->poles = {pole("1")};
  auto opened = open(config);
  opened->dut("d").power().on(soon());
  request_interrupt();
  opened->close();
  clear_interrupt();
  EXPECT_FALSE(is_on("1"));
}

}  // namespace
}  // namespace hilcop
