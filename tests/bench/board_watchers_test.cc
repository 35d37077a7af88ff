// SPDX-License-Identifier: Apache-2.0
#include "bench/board_watchers.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BoardWatchers : public testing::Test {
 protected:
  Board board(const std::string& watchers, bool on_linux = true) {
    std::filesystem::create_directories(dir_ / "boards");
    std::ofstream(dir_ / "boards/b.yaml") << "board: b\nboot_stages: [{ name: ready, pattern: READY, deadline_s: 5 }]\nlinux_watchers: "
                                          << (on_linux ? "true" : "false") << "\n"
                                          << watchers << "\n";
    return load_board(dir_ / "boards/b.yaml", all_drivers());
  }
  std::string problems(const std::string& watchers, bool on_linux = true) {
    return error_of([&] { board(watchers, on_linux); }).what();
  }
  static std::vector<std::string> names(const Board& board, const std::string& console) {
    std::vector<std::string> all;
    for (const auto& watcher : watchers_for(board, console)) all.push_back(watcher.name);
    return all;
  }
  static Watcher named(const Board& board, const std::string& console, const std::string& name) {
    for (const auto& watcher : watchers_for(board, console))
      if (watcher.name == name) return watcher;
    return {};
  }

  TempDir dir_;
};

TEST_F(BoardWatchers, StagesAreWatchedOnTheMainConsoleLinuxOnEveryOne) {
  const auto plain = board("");
  EXPECT_THAT(names(plain, "main"), Contains("stage:ready"));
  EXPECT_THAT(names(plain, "debug"), Not(Contains("stage:ready")));
  for (const char* console : {"main", "debug"}) EXPECT_THAT(names(plain, console), Contains("kernel-panic"));
  EXPECT_THAT(names(board("", false), "debug"), IsEmpty());
}

TEST_F(BoardWatchers, ALinuxWatchersNameTakesItsPlaceOnItsConsoles) {
  const auto everywhere = board("watchers: [{ name: kernel-oops, pattern: OWN, fatal: true }]");
  for (const char* console : {"main", "debug"}) {
    EXPECT_EQ(named(everywhere, console, "kernel-oops").pattern.text, "OWN");
    EXPECT_TRUE(named(everywhere, console, "kernel-oops").fatal);
    EXPECT_THAT(names(everywhere, console), testing::Contains("kernel-oops").Times(1));
  }
  const auto one = board("watchers: [{ name: kernel-oops, pattern: OWN, console: debug }]");
  EXPECT_EQ(named(one, "debug", "kernel-oops").pattern.text, "OWN");
  EXPECT_THAT(named(one, "main", "kernel-oops").pattern.text, HasSubstr("Oops"));
}

TEST_F(BoardWatchers, OneIsSwitchedOffAndTheOthersStay) {
  const auto off = board("watchers: [{ name: out-of-memory, disabled: true }]");
  EXPECT_THAT(names(off, "main"), Not(Contains("out-of-memory")));
  EXPECT_THAT(names(off, "main"), Contains("kernel-panic"));
  const auto one = board("watchers: [{ name: out-of-memory, disabled: true, console: debug }]");
  EXPECT_THAT(names(one, "debug"), Not(Contains("out-of-memory")));
  EXPECT_THAT(names(one, "main"), Contains("out-of-memory"));
}

TEST_F(BoardWatchers, AWatcherOfOneConsoleIsArmedThereAlone) {
  const auto limited = board("watchers: [{ name: crash, pattern: x, console: main }]");
  EXPECT_THAT(names(limited, "main"), Contains("crash"));
  EXPECT_THAT(names(limited, "debug"), Not(Contains("crash")));
}

TEST_F(BoardWatchers, WhatWouldNotBeArmedAsItReadsIsAProblemWithItsPlace) {
  EXPECT_THAT(problems("watchers: [{ name: a, pattern: x }, { name: a, pattern: y }]"), HasSubstr("two watchers are named 'a'"));
  EXPECT_THAT(problems("watchers:\n  - { name: a }"), HasSubstr("b.yaml:5:5: watchers.0: 'pattern' is missing"));
  EXPECT_THAT(problems("watchers: [{ name: kernel-oops, pattern: x, disabled: true }]"), HasSubstr("has a pattern and is disabled"));
  EXPECT_THAT(problems("watchers: [{ name: kernel-opps, disabled: true }]"), HasSubstr("did you mean 'kernel-oops'?"));
  EXPECT_THAT(problems("watchers: [{ name: kernel-oops, disabled: true }]", false), HasSubstr("no `linux_watchers: true`"));
  EXPECT_THAT(problems("watchers: [{ name: 'stage:ready', pattern: x }]"), HasSubstr("the boot stages'"));
  EXPECT_THAT(problems("watchers: [{ name: a, pattern: '(' }]"), HasSubstr("watchers.0.pattern"));
  EXPECT_THAT(problems("boot_noise: ['.+']"), HasSubstr("boot_noise.0: masks whole lines"));
  EXPECT_THAT(problems("boot_noise: ['(']"), HasSubstr("boot_noise.0"));
}

TEST_F(BoardWatchers, AConsoleThatADutLacksIsAProblemOfItsBench) {
  board(
      "watchers: [{ name: crash, pattern: x, console: mian }]\nmachine: { driver: qemu-machine, arguments: [-M, virt], consoles: [{ "
      "channel: console }] }");
  std::ofstream(dir_ / "bench.yaml")
      << "bench: x\ninstruments: { m: { board: b } }\nduts:\n  d: { board: b, consoles: { main: { instrument: m, channel: console } } }\n";
  const auto text = error_of([&] { load_bench_config(dir_ / "bench.yaml", dir_ / "boards", all_drivers()); });
  EXPECT_THAT(text.what(), HasSubstr("is for console 'mian', which this DUT lacks (did you mean 'main'?)"));
}

}  // namespace
}  // namespace hilcop
