// SPDX-License-Identifier: Apache-2.0
// What the contract suite does not ask of GPIO lines: which chip, which line, whose. Against the rig's stand-in for libgpiod, which
// has two chips of one name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/rig.h"
#include "fakes/error_of.h"

namespace hilcop {

std::unique_ptr<InstrumentRig> make_gpio_instrument_rig();

namespace {

using nlohmann::json;
using testing::HasSubstr;

class GpioLinesTest : public testing::Test {
 protected:
  std::unique_ptr<Instrument> open(const json& changes = json::object()) const {
    auto given = rig_->config();
    given.update(changes);
    return driver_of("gpio").open(full_config("gpio", given), {});
  }
  std::unique_ptr<Instrument> open_line(const std::string& line) const {
    return open({{"lines", {{"x", {{"line", line}, {"direction", "output"}, {"active_low", false}}}}}});
  }
  static Deadline soon() { return Deadline::in(5s); }

  std::unique_ptr<InstrumentRig> rig_ = make_gpio_instrument_rig();
};

TEST_F(GpioLinesTest, TwoChipsOfOneNameAreNotGuessedBetween) {
  const auto error = error_of([&] { open({{"chip", "twin"}}); });
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.what(), HasSubstr("gpiochip0 [twin], gpiochip0 [twin]"));
  EXPECT_EQ(error_of([&] { open({{"chip", "pinctrl"}}); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_of([&] { open({{"chip", "/dev/gpiochip7"}}); }).kind(), ErrorKind::NotFound);
}

TEST_F(GpioLinesTest, ALineThatSomebodyElseHasIsBusyAndSaysWho) {
  const auto error = error_of([&] { open_line("BUSY"); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy);
  EXPECT_THAT(error.what(), HasSubstr("line 3 is in use by 'heartbeat'"));
}

TEST_F(GpioLinesTest, ALineThatIsNotThereIsNotFound) {
  for (const char* line : {"4", "NO_SUCH", "99999999999"})
    EXPECT_EQ(error_of([&] { open_line(line); }).kind(), ErrorKind::NotFound) << line;
}

TEST_F(GpioLinesTest, AnInputIsReadAndNotDriven) {
  const auto lines = open();
  EXPECT_EQ(lines->get("led", soon()), false);
  EXPECT_EQ(error_of([&] { lines->set("led", true, json::object(), soon()); }).kind(), ErrorKind::Unsupported);
}

TEST_F(GpioLinesTest, AnOutputThatWasNotDrivenYetSaysNothing) {
  const auto lines = open();
  EXPECT_EQ(lines->get("relay", soon()), std::nullopt) << "what holds an undriven line low is not a relay that is off";
  lines->set("relay", false, json::object(), soon());
  EXPECT_EQ(lines->get("relay", soon()), false);
}

TEST_F(GpioLinesTest, AnAdapterThatIsBackIsTakenAgain) {
  const auto lines = open();
  rig_->behave(Behaviour::HangsUp);
  EXPECT_EQ(error_of([&] { lines->set("relay", true, json::object(), soon()); }).kind(), ErrorKind::Disconnected);
  rig_->behave(Behaviour::Sound);
  EXPECT_EQ(lines->set("relay", true, json::object(), soon()).read_back, true);
}

}  // namespace
}  // namespace hilcop
