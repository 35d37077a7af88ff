// SPDX-License-Identifier: Apache-2.0
// What every instrument that the keeper holds must do, over the whole driver table. A driver brings a rig (rig.h).
#include <algorithm>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "contract/rig.h"
#include "fakes/error_of.h"
#include "fixtures/catalog.h"
#include "keeper/held_instrument.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;

constexpr auto kLimit = 200ms;   // the deadline of calls that cannot be answered
constexpr auto kMargin = 800ms;  // a loaded machine's scheduling; still far below the rigs' own timeouts of seconds

// Not here: a machine that QEMU is has its own suite with real boards (bench_board_test.cc); USB devices need a kernel that has USB, and
// this suite runs over them in a guest (tests/realusb). An interface of the host's has no two states that a wire shows
// (tests/network/process).
const std::set<std::string> kElsewhere{"qemu-machine", "hid-relay", "usb-hub", "network-interface"};

TEST(InstrumentContract, EveryDriverBringsARig) {
  std::vector<std::string> rigs, consoles;
  for (const auto& entry : instrument_rigs()) rigs.push_back(entry.driver);
  for (const auto& entry : console_rigs()) consoles.push_back(entry.driver);
  for (const auto* driver : all_drivers()) {
    if (kElsewhere.contains(driver->name) || driver->open_storage) continue;  // storage: tests/io and the guest with real USB
    EXPECT_THAT(driver->open ? rigs : consoles, Contains(driver->name)) << "write tests/contract/rigs/<driver>_*_rig.cc";
  }
  for (const auto& name : rigs) EXPECT_TRUE(driver_of(name).open) << name;
}

TEST(InstrumentContract, EveryDriverSaysWhatItIsAndWhatItsKeysMean) {
  for (const auto* driver : all_drivers()) {
    EXPECT_FALSE(driver->summary.empty()) << driver->name;
    EXPECT_EQ(driver->summary.find('\n'), std::string::npos) << driver->name;
    EXPECT_EQ((driver->open ? 1 : 0) + (driver->open_console ? 1 : 0) + (driver->open_storage ? 1 : 0), 1) << driver->name;
    for (const auto& key : driver->keys) EXPECT_FALSE(key.description.empty()) << driver->name << ": " << key.name;
  }
}

class InstrumentContractTest : public testing::TestWithParam<InstrumentRigEntry> {
 protected:
  void SetUp() override {
    rig_ = GetParam().make();
    config_ = full_config(GetParam().driver, rig_->config());
    driver_ = &driver_of(GetParam().driver);
  }
  std::unique_ptr<Instrument> open() const { return driver_->open(config_, {}); }
  // What the world sees may lag behind an instrument that does not acknowledge.
  bool becomes(const std::string& output, bool on) const {
    const Deadline deadline = soon();
    while (rig_->is_on(output) != on && !deadline.expired()) wait_until(deadline.at_most(1ms));
    return rig_->is_on(output) == on;
  }
  // Why the far end cannot be made to do that; empty: it can.
  std::string cannot(Behaviour behaviour) const {
    const auto impossible = rig_->impossible();
    const auto found = impossible.find(behaviour);
    return found == impossible.end() ? "" : found->second;
  }
  // The error, and that it came by the deadline. Nothing else may come of it.
  std::optional<Error> fails_in_time(const std::function<void(Deadline)>& action) const {
    const auto begin = real_clock().now();
    std::optional<Error> error;
    try {
      action(Deadline(begin + kLimit));
    } catch (const Error& thrown) {
      error = thrown;
    }
    EXPECT_LT(real_clock().now() - begin, kLimit + kMargin) << "the deadline was not kept";
    if (error) {
      EXPECT_THAT(error->object(), HasSubstr("unit")) << "does not name the instrument: " << error->what();
      EXPECT_FALSE(error->cause().empty());
      EXPECT_FALSE(error->remedy().empty()) << "says not what to do: " << error->what();
    }
    return error;
  }
  // `unit`: is closed first, for an instrument that only one may hold.
  void works_again(std::unique_ptr<Instrument>& unit) const {
    rig_->behave(Behaviour::Sound);
    unit.reset();
    unit = open();
    const auto result = unit->set(rig_->output(), true, json::object(), soon());
    EXPECT_TRUE(becomes(rig_->output(), true));
    if (rig_->reads_back()) {
      EXPECT_EQ(result.read_back, true);
    }
  }
  static Deadline soon() { return Deadline::in(5s); }

  std::unique_ptr<InstrumentRig> rig_;
  InstrumentConfig config_;
  const Driver* driver_ = nullptr;
};

TEST_P(InstrumentContractTest, OpeningAndClosingChangeNoOutput) {
  { const auto first = open(); }
  EXPECT_FALSE(rig_->is_on(rig_->output()));
  open()->set(rig_->output(), true, json::object(), soon());
  ASSERT_TRUE(becomes(rig_->output(), true));
  { const auto again = open(); }
  EXPECT_TRUE(rig_->is_on(rig_->output()));
}

TEST_P(InstrumentContractTest, SwitchesTheNamedOutputAndNoOther) {
  const auto unit = open();
  for (const bool on : {true, false, true, true, false, false}) {
    const auto before = real_clock().now();
    const auto result = unit->set(rig_->output(), on, json::object(), soon());
    EXPECT_LE(before, result.commanded);
    EXPECT_LE(result.commanded, result.acknowledged);
    EXPECT_LE(result.acknowledged, real_clock().now());
    EXPECT_TRUE(becomes(rig_->output(), on));
    EXPECT_EQ(result.read_back, rig_->reads_back() ? std::optional(on) : std::nullopt);
    EXPECT_EQ(unit->get(rig_->output(), soon()), rig_->reads_back() ? std::optional(on) : std::nullopt);
    if (!rig_->other_output().empty()) {
      EXPECT_FALSE(rig_->is_on(rig_->other_output()));
    }
  }
}

TEST_P(InstrumentContractTest, ListsItsChannelsAndNamesThemToWhoAsksForAnother) {
  const auto unit = open();
  std::vector<std::string> names;
  for (const auto& channel : unit->channels()) names.push_back(channel.name);
  EXPECT_THAT(names, Contains(rig_->output()));
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << "two channels of one name";
  const auto error = error_of([&] { unit->set("no-such-channel", true, json::object(), soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.what(), HasSubstr("no-such-channel"));
  EXPECT_THAT(error.what(), HasSubstr(names.front()));
  EXPECT_EQ(error_of([&] { unit->get("no-such-channel", soon()); }).kind(), ErrorKind::NotFound);
}

// So that a lab-config which names another is refused before anything is opened.
TEST_P(InstrumentContractTest, ItsKeysTellTheChannelsThatItHas) {
  if (!driver_->channels) {
    EXPECT_THAT(driver_->name, AnyOf("usb-hub", "hid-relay")) << "which are asked how many they have";
    return;
  }
  using Known = std::vector<std::tuple<std::string, ChannelKind, std::string>>;
  const auto known = [](const std::vector<Channel>& channels) {
    Known all;
    for (const auto& channel : channels) all.emplace_back(channel.name, channel.kind, channel.detail);
    return all;
  };
  EXPECT_EQ(known(driver_->channels(config_)), known(open()->channels()));
}

TEST_P(InstrumentContractTest, RefusesOptionsThatItDoesNotKnowBeforeItSwitches) {
  const auto unit = open();
  const auto error = error_of([&] { unit->set(rig_->output(), true, {{"no_such_option", 1}}, soon()); });
  EXPECT_THAT(error.kind(), AnyOf(ErrorKind::Unsupported, ErrorKind::Config));
  EXPECT_FALSE(rig_->is_on(rig_->output()));
}

TEST_P(InstrumentContractTest, AnIdentityIsOfTheThingAndNotOfItsName) {
  auto other = config_;
  other.name = "another-name";
  EXPECT_FALSE(driver_->identity(config_).empty());
  EXPECT_EQ(driver_->identity(config_), driver_->identity(other));
}

TEST_P(InstrumentContractTest, AnExpiredDeadlineEndsAtOnce) {
  const auto unit = open();
  const auto begin = real_clock().now();
  try {
    unit->set(rig_->output(), true, json::object(), Deadline(begin - 1s));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Timeout) << error.what();
  }
  EXPECT_LT(real_clock().now() - begin, kMargin);
}

TEST_P(InstrumentContractTest, AMuteInstrumentIsATimeout) {
  if (const auto why = cannot(Behaviour::Mute); !why.empty()) GTEST_SKIP() << why;
  auto unit = open();
  rig_->behave(Behaviour::Mute);
  std::optional<bool> read_back;
  const auto error = fails_in_time([&](Deadline d) { read_back = unit->set(rig_->output(), true, json::object(), d).read_back; });
  EXPECT_NE(read_back, true);
  if (rig_->acknowledges() || rig_->reads_back()) {
    ASSERT_TRUE(error) << "silence was taken for an answer";
    EXPECT_EQ(error->kind(), ErrorKind::Timeout) << error->what();
  }
  if (rig_->reads_back()) {
    const auto unread = fails_in_time([&](Deadline d) { unit->get(rig_->output(), d); });
    ASSERT_TRUE(unread);
    EXPECT_EQ(unread->kind(), ErrorKind::Timeout) << unread->what();
  }
  works_again(unit);
}

// The late answer to the call that was given up must not be taken for the answer to the next one.
TEST_P(InstrumentContractTest, ALateAnswerIsNotTakenForTheNext) {
  if (const auto why = cannot(Behaviour::Late); !why.empty()) GTEST_SKIP() << why;
  const auto unit = open();
  rig_->behave(Behaviour::Late);
  const auto error = fails_in_time([&](Deadline d) { unit->set(rig_->output(), true, json::object(), d); });
  if (rig_->acknowledges() || rig_->reads_back()) {
    EXPECT_TRUE(error);
  }
  rig_->behave(Behaviour::Sound);
  for (const bool on : {false, true, false}) {
    const auto result = unit->set(rig_->output(), on, json::object(), soon());
    EXPECT_TRUE(becomes(rig_->output(), on));
    if (rig_->reads_back()) {
      EXPECT_EQ(result.read_back, on);
    }
  }
}

TEST_P(InstrumentContractTest, GarbageAndTornAnswersAreNeverASuccess) {
  if (!cannot(Behaviour::Garbage).empty() && !cannot(Behaviour::Truncated).empty()) GTEST_SKIP() << cannot(Behaviour::Garbage);
  for (const auto behaviour : {Behaviour::Garbage, Behaviour::Truncated}) {
    if (!cannot(behaviour).empty()) continue;
    auto unit = open();
    unit->set(rig_->output(), false, json::object(), soon());
    rig_->behave(behaviour);
    std::optional<bool> read_back;
    const auto error = fails_in_time([&](Deadline d) { read_back = unit->set(rig_->output(), true, json::object(), d).read_back; });
    EXPECT_EQ(read_back, std::nullopt) << "made up of garbage";
    if (rig_->acknowledges() || rig_->reads_back()) {
      ASSERT_TRUE(error) << "garbage was taken for an answer";
      EXPECT_THAT(error->kind(), AnyOf(ErrorKind::Protocol, ErrorKind::Timeout, ErrorKind::Disconnected)) << error->what();
    }
    // Without being opened again, and after.
    rig_->behave(Behaviour::Sound);
    EXPECT_NO_THROW(unit->set(rig_->output(), false, json::object(), soon()));
    EXPECT_TRUE(becomes(rig_->output(), false));
    works_again(unit);
  }
}

TEST_P(InstrumentContractTest, GoneInMidOperationIsDisconnected) {
  if (const auto why = cannot(Behaviour::HangsUp); !why.empty()) GTEST_SKIP() << why;
  const auto unit = open();
  rig_->behave(Behaviour::HangsUp);
  const auto error = fails_in_time([&](Deadline d) {
    unit->set(rig_->output(), true, json::object(), d);
    unit->set(rig_->output(), true, json::object(), d);  // without an acknowledgement it is the next that notices
  });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::Disconnected) << error->what();
}

TEST_P(InstrumentContractTest, ARefusalIsAnErrorAndSwitchesNothing) {
  if (const auto why = cannot(Behaviour::Refuses); !why.empty()) GTEST_SKIP() << why;
  auto unit = open();
  rig_->behave(Behaviour::Refuses);
  const auto error = fails_in_time([&](Deadline d) { unit->set(rig_->output(), true, json::object(), d); });
  ASSERT_TRUE(error) << "a refusal was taken for a success";
  EXPECT_THAT(error->kind(), testing::Not(AnyOf(ErrorKind::Timeout, ErrorKind::Disconnected))) << error->what();
  EXPECT_FALSE(rig_->is_on(rig_->output()));
  works_again(unit);
}

TEST_P(InstrumentContractTest, ALieIsSeenByReadBack) {
  if (const auto why = cannot(Behaviour::Lies); !why.empty()) GTEST_SKIP() << why;
  const auto unit = open();
  unit->set(rig_->output(), true, json::object(), soon());
  ASSERT_TRUE(becomes(rig_->output(), true));
  rig_->behave(Behaviour::Lies);
  std::optional<bool> read_back;
  const auto error = fails_in_time([&](Deadline d) { read_back = unit->set(rig_->output(), false, json::object(), d).read_back; });
  EXPECT_NE(read_back, false) << "left on, and said to be off";
  if (rig_->reads_back() && !error) {
    EXPECT_EQ(read_back, true);
  }
}

TEST_P(InstrumentContractTest, EightCallersAreServedOneAfterAnother) {
  HeldInstrument held(*driver_, config_, {});
  std::vector<std::promise<std::string>> promises(8);
  std::vector<std::string> outputs{rig_->output()};
  if (!rig_->other_output().empty()) outputs.push_back(rig_->other_output());
  {
    std::vector<std::jthread> callers;
    for (std::size_t i = 0; i < promises.size(); ++i)
      callers.emplace_back([&, i] {
        held.post([&, i](Instrument* unit, const Error* failure) {
          const auto& output = outputs[i % outputs.size()];
          try {
            if (failure != nullptr) throw Error(*failure);
            for (const bool on : {true, false, true}) {
              const auto result = unit->set(output, on, json::object(), soon());
              if (rig_->reads_back() && result.read_back != on) throw Error(ErrorKind::Protocol, output, "reads back another's state");
            }
            promises[i].set_value("");
          } catch (const std::exception& error) {
            promises[i].set_value(error.what());
          }
        });
      });
  }
  for (auto& promise : promises) {
    auto answer = promise.get_future();
    ASSERT_EQ(answer.wait_for(30s), std::future_status::ready);
    EXPECT_EQ(answer.get(), "");
  }
  for (const auto& output : outputs) EXPECT_TRUE(becomes(output, true));
}

INSTANTIATE_TEST_SUITE_P(Drivers, InstrumentContractTest, testing::ValuesIn(instrument_rigs()), [](const auto& entry) {
  auto name = entry.param.driver;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(InstrumentContractTest);

}  // namespace
}  // namespace hilcop
