// SPDX-License-Identifier: Apache-2.0
// sigrok-cli, a client that nobody here wrote, finds in the imitated supply what it finds in a Rigol DP832 and an HP 6632B: so the
// driver, which works with the same supply (tests/contract), is not right by a shared mistake alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "contract/protocols/scpi.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SigrokTest : public testing::TestWithParam<const char*> {
 protected:
  std::string sigrok(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"-d", "scpi-pps:conn=tcp-raw/127.0.0.1/" + std::to_string(supply_.port())});
    ProcessOptions options;
    options.program = "sigrok-cli";
    options.arguments = std::move(arguments);
    options.capture_output = true;
    return run_process(options, Deadline::in(30s)).output;
  }

  // sigrok waits for no answer to a setting: it may have ended before the supply has read its last line.
  template <class Setting>
  static bool becomes(const std::atomic<Setting>& setting, Setting wanted) {
    for (const Deadline deadline = Deadline::in(20s); setting != wanted && !deadline.expired();) wait_until(deadline.at_most(1ms));
    return setting == wanted;
  }

  ScpiOutputs outputs_{GetParam()};
  FarEnd supply_{std::make_unique<ScpiProtocol>(outputs_), FarEnd::Over::Tcp};
};

INSTANTIATE_TEST_SUITE_P(Supplies, SigrokTest, testing::Values("Rigol Technologies,DP832,DP8A000000001,00.01.14", "HP,6632B,0,A.01.02"),
                         [](const auto& idn) { return std::string(idn.param).substr(0, 2) == "HP" ? "Hp" : "Rigol"; });

TEST_P(SigrokTest, SetsSwitchesAndMeasures) {
  EXPECT_THAT(sigrok({"--scan"}), HasSubstr("scpi-pps - "));
  sigrok({"--channel-group", "1", "--config", "voltage_target=2.5:enabled=true", "--set"});
  EXPECT_TRUE(becomes(outputs_.all[0].on, true));
  EXPECT_TRUE(becomes(outputs_.all[0].volts, 2.5));
  EXPECT_FALSE(outputs_.all[1].on);
  EXPECT_THAT(sigrok({"--channel-group", "1", "--get", "enabled"}), HasSubstr("true"));
  EXPECT_THAT(sigrok({"--channel-group", "1", "--get", "voltage"}), HasSubstr("\n2.5\n"));
  EXPECT_THAT(sigrok({"--channel-group", "1", "--get", "current"}), HasSubstr("\n0.25\n"));
  sigrok({"--channel-group", "1", "--config", "enabled=false", "--set"});
  EXPECT_TRUE(becomes(outputs_.all[0].on, false));
  EXPECT_THAT(outputs_.not_understood(), IsEmpty()) << "it speaks of what the imitation does not know";
}

TEST_P(SigrokTest, TheSecondOutputIsSelectedAndTheFirstLeftAlone) {
  if (std::string(GetParam()).starts_with("HP")) GTEST_SKIP() << "has one output";
  sigrok({"--channel-group", "2", "--config", "enabled=true", "--set"});
  EXPECT_TRUE(becomes(outputs_.all[1].on, true));
  EXPECT_FALSE(outputs_.all[0].on);
}

}  // namespace
}  // namespace hilcop
