// SPDX-License-Identifier: Apache-2.0
// Each item finds the fault that is planted for it, and a sound bench has none.
#include <sys/resource.h>

#include <csignal>

#include "fakes/error_of.h"
#include "selftest_of_bench.h"

namespace hilcop {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SelftestOfBench, ASoundBenchPasses) {
  const auto items = test();
  EXPECT_THAT(failures(items), IsEmpty());
  for (const std::string dut : {"a", "b"}) {
    EXPECT_THAT(grade(items, "power", dut), HasSubstr("pass: comes and goes, shown by console main"));
    EXPECT_THAT(grade(items, "wiring", dut), HasSubstr("pass: only its own console"));
    EXPECT_THAT(grade(items, "read-back", dut), HasSubstr("pass"));
    EXPECT_THAT(grade(items, "capture", dut), HasSubstr("bytes recorded as they came"));
    EXPECT_THAT(grade(items, "answers", dut), HasSubstr("not proved"));  // the board declares no shell
  }
  EXPECT_FALSE(a_->powered() || b_->powered());
}

TEST_F(SelftestOfBench, AnInputThatFollowsThePowerShowsIt) {
  change_config("power: { instrument: relay, channel: '0' }",
                "power: { instrument: relay, channel: '0', verify: { input: sense, within_ms: 100 } }, "
                "inputs: { sense: { instrument: relay, channel: sense } }");
  a_->manner_ = PlantedDevice::Manner::Mute;
  EXPECT_THAT(grade(test(), "power", "a"), HasSubstr("pass: comes and goes, shown by input sense"));
  contacts()->all[0].welded = true;
  EXPECT_THAT(grade(test(), "power", "a"), AllOf(HasSubstr("fail: cannot be switched off"), HasSubstr("input 'sense' says otherwise")));
}

TEST_F(SelftestOfBench, ADeadRelayIsFound) {
  a_->contact_ = -1;
  const auto items = test();
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail: was switched on and nothing of this DUT reacted"));
  EXPECT_THAT(grade(items, "speaks with power", "a"), HasSubstr("fail: stays silent"));
  EXPECT_THAT(grade(items, "power", "b"), HasSubstr("pass"));
}

TEST_F(SelftestOfBench, TwoDutsWhosePowerIsSwappedAreFound) {
  a_->contact_ = 1, b_->contact_ = 0;
  const auto items = test();
  EXPECT_THAT(grade(items, "wiring", "a"), HasSubstr("fail: its power makes console main of 'b' speak and its own silent"));
  EXPECT_THAT(grade(items, "wiring", "b"), HasSubstr("fail: its power makes console main of 'a' speak and its own silent"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail"));
}

TEST_F(SelftestOfBench, AConsoleThatIsWiredToTheOtherDutIsFound) {
  change_config("socket: a.sock", "socket: b.tmp");
  change_config("socket: b.sock", "socket: a.sock");
  change_config("socket: b.tmp", "socket: b.sock");
  const auto items = test();
  EXPECT_THAT(grade(items, "wiring", "a"), HasSubstr("swapped"));
  EXPECT_THAT(grade(items, "wiring", "b"), HasSubstr("swapped"));
}

TEST_F(SelftestOfBench, ADutThatHangsOnTheOthersOutputTooIsFound) {
  b_->contact_ = 0;
  const auto items = test();
  EXPECT_THAT(grade(items, "wiring", "a"),
              HasSubstr("fail: its power makes console main of 'b' speak: that DUT hangs on this output, too"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail"));
  EXPECT_THAT(grade(items, "power", "b"), HasSubstr("fail"));
}

TEST_F(SelftestOfBench, AStuckOutputIsFoundBySpeechOrByAnAnswer) {
  a_->stuck_ = true;
  auto items = test({"a"});
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("fail: speaks although the power is off"));
  EXPECT_THAT(grade(items, "power", "a"), testing::Not(HasSubstr("pass")));
  a_->manner_ = PlantedDevice::Manner::Echoes;
  items = test({"a"});
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("fail: answers although the power is off"));
}

TEST_F(SelftestOfBench, AContactThatWeldsIsFoundAlsoWhereTheDutSpeaksRarelyAndDoesNotAnswer) {
  write_config();
  a_->manner_ = PlantedDevice::Manner::Slow, a_->welds_ = true;
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail: console main speaks after it was switched off"));
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("fail: speaks although the power is off"));
}

TEST_F(SelftestOfBench, WhoSpeaksRarelyIsListenedToLonger) {
  write_config();
  a_->manner_ = PlantedDevice::Manner::Slow;
  const auto items = test({"a"});
  EXPECT_THAT(failures(items), IsEmpty());
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("pass: comes and goes, shown by console main"));
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("pass: for 3."));
}

TEST_F(SelftestOfBench, TheSilenceOfWhoSpeaksOnceIsNoProof) {
  write_config();
  a_->manner_ = PlantedDevice::Manner::Once;
  const auto items = test({"a"});
  EXPECT_THAT(failures(items), IsEmpty());
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("not proved: console main speaks too rarely"));
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("not proved"));
}

TEST_F(SelftestOfBench, ALineThatIsLostForAWhileAtOffHidesNoWeldedContact) {
  a_->welds_ = true, a_->line_lost_ms_ = 1500;
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail: console main speaks after it was switched off"));
}

TEST_F(SelftestOfBench, ALineThatIsNotThereWithoutPowerIsNotASilentOne) {
  a_->welds_ = true, a_->line_lost_ms_ = 60'000;
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("not proved: console main is not there without power"));
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("not proved: its line is not there"));
}

TEST_F(SelftestOfBench, AContactThatReadsBackOnAfterOffIsFound) {
  contacts()->all[0].lies = true;
  const auto items = test({"a"});
  EXPECT_THAT(failures(items), testing::Contains(HasSubstr("instruments of a")));
  EXPECT_THAT(failures(items), testing::Contains(HasSubstr("was switched off but reads back")));
}

TEST_F(SelftestOfBench, WithoutReadBackThatIsNotProved) {
  contacts()->all[0].reads_back = false;
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "read-back", "a"), HasSubstr("not proved: the instrument cannot tell"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("pass"));
}

TEST_F(SelftestOfBench, ASilentConsoleIsFound) {
  b_->manner_ = PlantedDevice::Manner::Mute;
  const auto items = test({"b"});
  EXPECT_THAT(grade(items, "speaks with power", "b"), HasSubstr("fail: stays silent"));
}

TEST_F(SelftestOfBench, WhoDoesNotAnswerAsItsBoardFileSaysIsFound) {
  const std::string repl = "repl: { prompt: '=> $', say: 'echo {left}\"\"{right}', interrupt: \"\\x03\" }\n";
  write_config("", "board: plain\nboot_stages: [{ name: up, pattern: '=> ', deadline_s: 0.3 }]\n" + repl);
  a_->manner_ = PlantedDevice::Manner::Interpreter;
  b_->manner_ = PlantedDevice::Manner::Parrot;
  auto items = test();
  EXPECT_EQ(grade(items, "answers", "a"), "pass: its interpreter answers");
  EXPECT_THAT(grade(items, "answers", "b"), HasSubstr("fail: console b/main no prompt was reached in time"));
  EXPECT_THAT(failures(items), testing::SizeIs(1));
  write_config("", "board: plain\nboot_stages: [{ name: up, pattern: 'U-Boot', deadline_s: 0.3 }]\n" + repl);
  items = test({"a"});
  EXPECT_EQ(grade(items, "answers", "a"), "fail: boot stage 'up' did not come: not this board, or one that does not boot");
}

TEST_F(SelftestOfBench, AConsoleThatCannotBeOpenedIsFoundAndTheOthersAreTested) {
  b_.reset();
  const auto items = test();
  EXPECT_THAT(grade(items, "instruments", "b"), HasSubstr("fail"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("pass"));
}

TEST_F(SelftestOfBench, SomebodyElsesDutIsNotTested) {
  auto bench = open(events_);
  EXPECT_EQ(error_of([&] { test(); }).kind(), ErrorKind::Busy);
}

TEST_F(SelftestOfBench, AFullDiskIsFoundByTheRecording) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 600;  // the timeline and the recordings outgrow that
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto items = test({"a"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(failures(items), testing::Contains(HasSubstr("capture")));
}

TEST_F(SelftestOfBench, AWornContactIsAWarning) {
  change_config("channel: '0'", "channel: '0', rated_switches: 1");
  test({"a"});
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "wear", "a"), HasSubstr("times of 1: have it replaced"));
}

TEST_F(SelftestOfBench, AKeeperThatDiesIsAFailureAndNoEndOfTheSelftest) {
  change_config("channel: '0'", "channel: '0', rated_switches: 1");
  const auto bench = config();
  save_selftest(bench, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}}, "out");
  on_item_ = [&](const SelftestItem& item) {
    if (item.item == "instruments" && item.grade == SelftestGrade::Pass) ::kill(keeper_, SIGKILL);
  };
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "wear", "a"), HasSubstr("fail"));
  save_selftest(bench, {"a"}, items, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "failed");
}

TEST_F(SelftestOfBench, AnOutputThatDoesNotReachItsSafeStateIsItsOwnDutsFault) {
  a_->manner_ = PlantedDevice::Manner::Mute;
  on_item_ = [](const SelftestItem& item) {
    if (item.item != "power" || item.dut != "b") return;
    contacts()->all[1].on = true, contacts()->all[1].refuses = true;  // welded, and its board knows
  };
  const auto items = test();
  EXPECT_THAT(grade(items, "power", "b"), HasSubstr("pass"));
  EXPECT_THAT(failures(items), testing::Contains(testing::AllOf(HasSubstr("instruments of b"), HasSubstr("refuses to switch"))));
  EXPECT_THAT(failures(items), testing::Not(testing::Contains(HasSubstr("instruments of a"))));
  save_selftest(config(), {"a", "b"}, items, "out");
  EXPECT_EQ(selftest_state(config(), "b").at("state"), "failed");
}

TEST_F(SelftestOfBench, OutputsAreOffWhenItIsInterrupted) {
  on_item_ = [](const SelftestItem& item) {
    if (item.item != "speaks with power") return;
    contacts()->all[0].slow_ms = 300;
    request_interrupt();
  };
  EXPECT_THROW(test({"a"}), Interrupted);
  EXPECT_FALSE(contacts()->all[0].on) << "it came back before the output was off";
  clear_interrupt();
}

}  // namespace
}  // namespace hilcop
