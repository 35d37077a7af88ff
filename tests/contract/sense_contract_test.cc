// SPDX-License-Identifier: Apache-2.0
// What every channel that senses (an input, a meter) must do, over the whole driver table: a reading is what the world is, now, or
// an error. A rig with such channels names one (InstrumentRig::sensor).
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "contract/rig.h"
#include "fakes/error_of.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::AnyOf;
using testing::HasSubstr;

constexpr auto kReadLimit = 200ms;
constexpr auto kReadMargin = 800ms;

bool senses(ChannelKind kind) { return kind == ChannelKind::Input || kind == ChannelKind::Meter; }

std::vector<InstrumentRigEntry> rigs_with_sensors() {
  std::vector<InstrumentRigEntry> found;
  for (const auto& entry : instrument_rigs())
    if (!entry.make()->sensor().empty()) found.push_back(entry);
  return found;
}

TEST(SenseContract, EveryDriverThatSensesNamesASensor) {
  for (const auto& entry : instrument_rigs()) {
    const auto rig = entry.make();
    const auto unit = driver_of(entry.driver).open(full_config(entry.driver, rig->config()), {});
    const auto channels = unit->channels();
    const bool any = std::any_of(channels.begin(), channels.end(), [](const Channel& channel) { return senses(channel.kind); });
    EXPECT_EQ(any, !rig->sensor().empty()) << entry.driver;
  }
}

class SenseContractTest : public testing::TestWithParam<InstrumentRigEntry> {
 protected:
  void SetUp() override {
    rig_ = GetParam().make();
    unit_ = driver_of(GetParam().driver).open(full_config(GetParam().driver, rig_->config()), {});
    for (const auto& channel : unit_->channels())
      if (channel.name == rig_->sensor()) meter_ = channel.kind == ChannelKind::Meter;
  }
  double read(Deadline deadline) const {
    if (meter_) return unit_->measure(rig_->sensor(), deadline).value;
    const auto level = unit_->get(rig_->sensor(), deadline);
    EXPECT_TRUE(level) << "an input that says nothing";
    return level.value_or(false) ? 1 : 0;
  }
  double read() const { return read(soon()); }
  std::optional<Error> fails_in_time() const {
    const auto begin = real_clock().now();
    std::optional<Error> error;
    double value = 0;
    try {
      value = read(Deadline(begin + kReadLimit));
    } catch (const Error& thrown) {
      error = thrown;
    }
    EXPECT_LT(real_clock().now() - begin, kReadLimit + kReadMargin) << "the deadline was not kept";
    EXPECT_TRUE(error) << "made up: " << value;
    if (error) {
      EXPECT_THAT(error->object(), HasSubstr("unit")) << error->what();
      EXPECT_FALSE(error->remedy().empty()) << error->what();
    }
    return error;
  }
  bool cannot(Behaviour behaviour) const { return rig_->impossible().contains(behaviour); }
  static Deadline soon() { return Deadline::in(5s); }

  std::unique_ptr<InstrumentRig> rig_;
  std::unique_ptr<Instrument> unit_;
  bool meter_ = false;
};

TEST_P(SenseContractTest, ReadsWhatTheWorldIsNow) {
  rig_->world(false);
  const double low = read();
  rig_->world(true);
  const double high = read();
  EXPECT_GT(high, low);
  rig_->world(false);
  EXPECT_EQ(read(), low);
  if (!meter_) {
    EXPECT_EQ(low, 0);
    EXPECT_EQ(high, 1);
  }
}

TEST_P(SenseContractTest, AMeterSaysItsUnitAndWhenItWasRead) {
  if (!meter_) {
    EXPECT_EQ(error_of([&] { unit_->measure(rig_->sensor(), soon()); }).kind(), ErrorKind::Unsupported);
    return;
  }
  const auto begin = real_clock().now();
  const auto reading = unit_->measure(rig_->sensor(), soon());
  EXPECT_THAT(reading.unit, AnyOf("V", "A", "W"));
  EXPECT_GE(reading.at, begin);
  EXPECT_LE(reading.at, real_clock().now());
}

TEST_P(SenseContractTest, ItCannotBeSwitchedAndReadingSwitchesNothing) {
  rig_->world(true);
  const bool one = rig_->is_on(rig_->output()), other = rig_->is_on(rig_->other_output());
  EXPECT_EQ(error_of([&] { unit_->set(rig_->sensor(), true, json::object(), soon()); }).kind(), ErrorKind::Unsupported);
  read();
  EXPECT_EQ(rig_->is_on(rig_->output()), one);
  EXPECT_EQ(rig_->is_on(rig_->other_output()), other);
}

TEST_P(SenseContractTest, WhatDoesNotAnswerIsNoReading) {
  for (const auto behaviour : {Behaviour::Mute, Behaviour::Garbage, Behaviour::Truncated, Behaviour::HangsUp}) {
    if (cannot(behaviour)) continue;
    rig_->world(true);
    rig_->behave(behaviour);
    const auto error = fails_in_time();
    if (error && behaviour == Behaviour::Mute) {
      EXPECT_EQ(error->kind(), ErrorKind::Timeout) << error->what();
    }
    if (error && behaviour == Behaviour::HangsUp) {
      EXPECT_EQ(error->kind(), ErrorKind::Disconnected) << error->what();
    }
    rig_->behave(Behaviour::Sound);
    rig_->world(false);
    EXPECT_EQ(read(), 0) << "after " << static_cast<int>(behaviour);
  }
}

TEST_P(SenseContractTest, ALateReadingIsNotTakenForTheNext) {
  if (cannot(Behaviour::Late)) GTEST_SKIP() << rig_->impossible().at(Behaviour::Late);
  rig_->world(true);
  rig_->behave(Behaviour::Late);
  const auto error = fails_in_time();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Timeout) << error->what();
  rig_->behave(Behaviour::Sound);
  rig_->world(false);
  EXPECT_EQ(read(), 0);
}

INSTANTIATE_TEST_SUITE_P(Drivers, SenseContractTest, testing::ValuesIn(rigs_with_sensors()), [](const auto& entry) {
  auto name = entry.param.driver;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SenseContractTest);

}  // namespace
}  // namespace hilcop
