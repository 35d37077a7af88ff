// SPDX-License-Identifier: Apache-2.0
// A board that is nothing like the other one: no shell, buttons that are pressed when low, a UART that loses bytes.
#include <array>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "bench/bench.h"
#include "fakes/memory_sink.h"
#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

class MicroBit : public testing::Test {
 protected:
  std::unique_ptr<Bench> open() {
    OpenOptions options;
    options.duts = {"microbit"};
    options.record_dir = dir_ / "console";
    options.holder = "test";
    options.keeper.program = build_dir() / "bin/hilcop";
    return Bench::open(load_bench_config(source_dir() / "lab-config/virtual.yaml", source_dir() / "boards", all_drivers()), options,
                       all_drivers(), sink_);
  }
  static Deadline soon() { return Deadline::in(60s); }

  static void ready(Dut& dut) {
    const auto boot = dut.boot_to("", soon());
    ASSERT_TRUE(boot.complete) << boot.missing;
  }
  static std::string ask(Dut& dut, const std::string& line) { return dut.console().ask(line, soon()).output; }

  // The firmware debounces its buttons: it is asked until it says so, or until 20 s are over.
  static std::string button(Dut& dut, const std::string& name, const std::string& wanted) {
    const Deadline end = Deadline::in(20s);
    std::string said;
    do said = ask(dut, "import microbit; print(microbit.button_" + name + ".is_pressed())");
    while (said != wanted && !end.expired());
    return said;
  }

  TempDir dir_{true};
  MemorySink sink_;
};

TEST_F(MicroBit, BootsAnswersAndIsCut) {
  auto bench = open();
  auto& dut = bench->dut("microbit");
  for (int round = 0; round < 3; ++round) {
    dut.power().on(soon());
    ready(dut);
    EXPECT_EQ(ask(dut, "print(6*7)"), "42\n");
    EXPECT_NE(ask(dut, "1/0").find("ZeroDivisionError"), std::string::npos);
    EXPECT_EQ(ask(dut, "print('" + std::string(300, 'x') + "')"), std::string(300, 'x') + "\n");
    EXPECT_EQ(dut.power().off(nlohmann::json::object(), soon()).verified_by, "read-back, console-silence");
  }
  EXPECT_EQ(sink_.events("boot.stage").size(), 6u);
}

TEST_F(MicroBit, AProgramIsInterruptedAndAResetStartsAgain) {
  auto bench = open();
  auto& dut = bench->dut("microbit");
  dut.power().on(soon());
  ready(dut);
  ask(dut, "kept = 5");
  dut.console().write("while True: pass\r\r", soon());
  dut.console().login(soon());
  EXPECT_EQ(ask(dut, "print(kept)"), "5\n");
  dut.reset(100ms, soon());
  ready(dut);
  EXPECT_NE(ask(dut, "print(kept)").find("NameError"), std::string::npos);
}

TEST_F(MicroBit, AButtonIsReleasedUntilItIsPressed) {
  auto bench = open();
  auto& dut = bench->dut("microbit");
  dut.power().on(soon());
  ready(dut);
  for (const char* name : {"a", "b"}) {
    const char* other = name[0] == 'a' ? "b" : "a";
    EXPECT_EQ(button(dut, name, "False\n"), "False\n");
    dut.button(name).press(soon());
    EXPECT_EQ(button(dut, name, "True\n"), "True\n");
    EXPECT_EQ(button(dut, other, "False\n"), "False\n");
    dut.button(name).release(soon());
    EXPECT_EQ(button(dut, name, "False\n"), "False\n");
  }
}

TEST_F(MicroBit, AButtonThatIsHeldIsFoundHeldByPowerOnAndByReset) {
  auto bench = open();
  auto& dut = bench->dut("microbit");
  dut.button("a").press(soon());
  dut.power().on(soon());
  ready(dut);
  EXPECT_EQ(button(dut, "a", "True\n"), "True\n");
  dut.reset(100ms, soon());
  ready(dut);
  EXPECT_EQ(button(dut, "a", "True\n"), "True\n");
  EXPECT_EQ(button(dut, "b", "False\n"), "False\n");
  // Whoever comes next finds it let go.
  bench->close();
  auto next = open();
  auto& again = next->dut("microbit");
  again.power().on(soon());
  ready(again);
  EXPECT_EQ(button(again, "a", "False\n"), "False\n");
}

TEST_F(MicroBit, APinReadsWhatTheBoardDrivesAndNothingElse) {
  auto bench = open();
  auto& dut = bench->dut("microbit");
  auto& pin = dut.input("pin0");
  EXPECT_FALSE(pin.get(soon()));
  dut.power().on(soon());
  ready(dut);
  EXPECT_FALSE(pin.get(soon()));
  ask(dut, "import microbit; microbit.pin0.write_digital(1)");
  EXPECT_TRUE(pin.get(soon()));
  EXPECT_FALSE(dut.input("pin1").get(soon()));
  ask(dut, "microbit.pin0.read_digital()");  // an input now: what it drove before counts no more
  EXPECT_FALSE(pin.get(soon()));
  ask(dut, "microbit.pin0.write_digital(1)");
  EXPECT_TRUE(pin.get(soon()));
  dut.power().off(nlohmann::json::object(), soon());
  EXPECT_FALSE(pin.get(soon()));
}

TEST_F(MicroBit, EveryByteIsRecordedOverACutAndAReset) {
  auto bench = open();
  auto& dut = bench->dut("microbit");
  std::string expected;
  const std::string banner =
      std::string(1, '\0') +
      "MicroPython v1.9.2-34-gd64154c73 on 2017-09-01; micro:bit v1.0.1 with nRF51822\r\nType \"help()\" for more information.\r\n>>> ";
  const std::string line = "for i in range(400): print(i, end=' ')";
  const auto talk = [&] {
    ready(dut);
    dut.console().write(line + "\r\r", soon());
    const std::array end{Pattern::literal("399 >>> ")};  // the prompt is the last that it says
    dut.console().expect(end, soon());
    expected += banner + line + "\r\n... \r\n";
    for (int i = 0; i < 400; ++i) expected += std::to_string(i) + " ";
    expected += ">>> ";
  };
  dut.power().on(soon());
  talk();
  dut.reset(100ms, soon());
  talk();
  dut.power().off(nlohmann::json::object(), soon());
  dut.console().write("typed at a board without power\r", soon());
  dut.power().on(soon());
  talk();
  bench->close();
  std::ifstream file(dir_ / "console/microbit-main.raw", std::ios::binary);
  const std::string raw{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(raw, expected);
  EXPECT_TRUE(sink_.events("console.gap").empty());
}

}  // namespace
}  // namespace hilcop
