// SPDX-License-Identifier: Apache-2.0
#include "bench/config.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

class ConfigTest : public testing::Test {
 protected:
  std::string problems(const std::string& yaml) {
    std::filesystem::create_directories(dir_ / "boards");
    std::ofstream(dir_ / "bench.yaml") << yaml;
    try {
      load_bench_config(dir_ / "bench.yaml", dir_ / "boards", all_drivers());
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  void board(const std::string& name, const std::string& yaml) {
    std::filesystem::create_directories(dir_ / "boards");
    std::ofstream(dir_ / "boards" / (name + ".yaml")) << yaml;
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

  TempDir dir_;
};

constexpr const char* kMachine = "machine: { driver: qemu-machine, arguments: [-M, virt], consoles: [{ channel: console }] }\n";

TEST_F(ConfigTest, TheBenchThatIsShippedIsFine) {
  const std::filesystem::path source = source_dir();
  const auto bench = load_bench_config(source / "lab-config/virtual.yaml", source / "boards", all_drivers());
  ASSERT_EQ(bench.duts.size(), 3u);
  const auto& dut = bench.duts.at("board1");
  EXPECT_EQ(dut.board.boot_stages.size(), 4u);
  EXPECT_EQ(dut.power->min_off, 100ms);
  EXPECT_TRUE(bench.instruments.at("machine-1").config.at("dtb").get<std::string>().starts_with("/"));
  EXPECT_EQ(bench.instruments.at("machine-1").config.at("inputs").at(0).at("address"), 0x90303fc);
  const auto& other = bench.duts.at("microbit").board;
  EXPECT_FALSE(other.has_shell);
  ASSERT_TRUE(other.repl);
  EXPECT_EQ(other.repl->interrupt, "\x03");
  EXPECT_EQ(other.line_end, "\r");
  const auto& machine = bench.instruments.at("machine-3").config;
  EXPECT_EQ(machine.at("outputs").at(0).at("active_low"), true);
  EXPECT_TRUE(machine.at("board").get<std::string>().ends_with("/boards/microbit-micropython.yaml"));
}

TEST_F(ConfigTest, BoardsAreThoseOfTheNearestFolderAboveTheFile) {
  const std::filesystem::path source = source_dir();
  EXPECT_EQ(boards_dir_above(source / "lab-config/virtual.yaml"), source / "boards");
  EXPECT_EQ(boards_dir_above(source / "lab-config/examples/reference.yaml"), source / "boards");
  board("x", "board: x\n");
  std::filesystem::create_directories(dir_ / "mine" / "deep");
  std::filesystem::create_directories(dir_ / "mine" / "boards");  // without boards
  std::filesystem::create_symlink(source / "lab-config/virtual.yaml", dir_ / "mine" / "linked.yaml");
  EXPECT_EQ(boards_dir_above(dir_ / "mine" / "deep" / "bench.yaml"), dir_ / "boards");
  EXPECT_EQ(boards_dir_above(dir_ / "mine" / "linked.yaml"), dir_ / "boards") << "where the file is named counts first";
  std::filesystem::remove_all(dir_ / "boards");
  EXPECT_EQ(boards_dir_above(dir_ / "mine" / "linked.yaml"), source / "boards");
  EXPECT_EQ(boards_dir_above(dir_ / "mine" / "deep" / "none.yaml"), dir_ / "mine" / "boards") << "there is none";
}

TEST_F(ConfigTest, AReplWhoseEchoCouldPassForAReplyIsRefused) {
  const auto with = [this](const std::string& more) {
    board("b", "board: b\n" + more);
    return problems("bench: x\ninstruments: {}\nduts: { d: { board: b } }\n");
  };
  EXPECT_EQ(with("repl: { prompt: '> $', say: 'echo {left}\"\"{right}' }\n"), "");
  EXPECT_TRUE(has(with("repl: { prompt: '> $', say: 'echo {left}{right}' }\n"), "b.yaml:2:29: repl.say: has {left}{right} side by side"));
  EXPECT_TRUE(has(with("repl: { prompt: '> $', say: 'echo {left}' }\n"), "{left} and {right} once each"));
  EXPECT_TRUE(has(with("repl: { prompt: '> $', say: '{left} {left} {right}' }\n"), "{left} and {right} once each"));
  EXPECT_TRUE(has(with("repl: { prompt: '> $', say: \"{left}\\n{right}\" }\n"), "one line without control characters"));
  EXPECT_TRUE(has(with("repl: { prompt: '> $' }\n"), "'say' is missing"));
  EXPECT_TRUE(has(with("shell: {}\nrepl: { prompt: '> $', say: '{left} {right}' }\n"), "leave one of them out"));
  EXPECT_TRUE(has(with("line_end: ''\n"), "no line would ever end"));
}

TEST_F(ConfigTest, AllErrorsOfAFileComeAtOnceEachWithItsPlace) {
  board("b", std::string("board: b\n") + kMachine);
  const auto text = problems(
      "bench: x\ninstruments:\n  m: { driver: qemu-machin, board: b }\n  n: { driver: qemu-machine, board: b, colour: red }\nduts:\n  d:\n "
      "   board: bb\n"
      "    pwer: {}\n    power: { instrument: nn, channel: power, min_off_ms: soon }\n");
  EXPECT_TRUE(has(text, "bench.yaml:3:16: instruments.m.driver: 'qemu-machin' is no driver (did you mean 'qemu-machine'?)")) << text;
  EXPECT_TRUE(has(text, "bench.yaml:4:40: instruments.n.colour: unknown key")) << text;
  EXPECT_TRUE(has(text, "duts.d.board: there is no board 'bb'")) << text;
  EXPECT_TRUE(has(text, "(did you mean 'b'?); choose one of: b")) << text;
  EXPECT_TRUE(has(text, "bench.yaml:8:5: duts.d.pwer: unknown key (did you mean 'power'?)")) << text;
  EXPECT_TRUE(has(text, "'nn' is no instrument of this bench")) << text;
  EXPECT_TRUE(has(text, "min_off_ms: must be a number, not 'soon'")) << text;
}

TEST_F(ConfigTest, ErrorsInABoardNameTheBoardsFile) {
  board("b", "board: b\nboot_stages:\n  - { name: a, pattern: '(', deadline_s: -1 }\nlinux_watchers: maybe\n");
  const auto text = problems("bench: x\ninstruments: {}\nduts: { d: { board: b } }\n");
  EXPECT_TRUE(has(text, "b.yaml:3:25: boot_stages.0.pattern")) << text;
  EXPECT_TRUE(has(text, "out of range")) << text;
  EXPECT_TRUE(has(text, "must be true or false, not 'maybe'")) << text;
}

// Found here, and not when the bench is opened.
TEST_F(ConfigTest, AChannelIsOneOfItsInstrumentAndOfTheKindThatTheRoleTakes) {
  board("b", std::string("board: b\n") + kMachine);
  const auto with = [this](const std::string& dut) {
    return problems(
        "bench: x\ninstruments:\n  m: { board: b }\n  lan: { driver: network-interface, interface: eth7 }\n"
        "  r: { driver: modbus-relay, host: 10.0.0.7, channels: 2 }\n  s: { driver: serial, port: /dev/ttyX }\nduts:\n  d:\n    board: "
        "b\n" +
        dut);
  };
  EXPECT_EQ(with("    network: { instrument: lan, channel: port }\n    reset: { instrument: r, channel: '2' }\n"
                 "    consoles: { main: { instrument: s, channel: whatever } }\n"),
            "");
  const auto typo = with("    network: { instrument: lan, channel: prot }\n");
  EXPECT_TRUE(has(typo, "duts.d.network.channel: 'prot' is no channel of 'lan' (did you mean 'port'?)")) << typo;
  EXPECT_TRUE(has(typo, "choose one of: port")) << typo;
  const auto beyond = with("    power: { instrument: r, channel: '7' }\n");
  EXPECT_TRUE(has(beyond, "duts.d.power.channel: '7' is no channel of 'r'")) << beyond;
  const auto kind = with("    network: { instrument: r, channel: '1' }\n");
  EXPECT_TRUE(has(kind, "duts.d.network.channel: '1' of 'r' is an output; 'r' has nothing that is a network")) << kind;
  EXPECT_TRUE(has(with("    outputs: { strap: { instrument: lan, channel: port } }\n"), "'port' of 'lan' is a network"));
  EXPECT_TRUE(has(with("    consoles: { main: { instrument: m, channel: power } }\n"), "'power' of 'm' is a power output"));
}

TEST_F(ConfigTest, OneChannelIsOneRole) {
  board("b", std::string("board: b\n") + kMachine);
  const auto text = problems(
      "bench: x\ninstruments: { m: { board: b } }\nduts:\n  d: { board: b, power: { instrument: m, channel: power } }\n  e: { board: b, "
      "power: { instrument: m, channel: power } }\n");
  EXPECT_TRUE(has(text, "'power' of 'm' is already duts.d.power")) << text;
}

TEST_F(ConfigTest, OneOutputUnderTwoNamesIsOneRoleToo) {
  board("b", "board: b\n");
  const auto text = problems(
      "bench: x\ninstruments:\n  r: { driver: modbus-relay, host: 10.0.0.7 }\n  again: { driver: modbus-relay, host: 10.0.0.7, channels: 4 "
      "}\n"
      "duts:\n  d: { board: b, power: { instrument: r, channel: '1' } }\n  e: { board: b, outputs: { strap: { instrument: again, channel: "
      "'1' } } }\n");
  EXPECT_TRUE(has(text, "'1' of 'again' is already duts.d.power")) << text;
}

TEST_F(ConfigTest, PowerIsOneOutputOrSeveralPolesWithWhatVerifiesThem) {
  board("b", "board: b\nmin_off_ms: 300\n");
  const auto with = [this](const std::string& power) {
    return problems(
        "bench: x\ninstruments: { r: { driver: modbus-relay, host: 10.0.0.7 }, s: { driver: scpi-supply, host: 10.0.0.8, port: 5025 } }\n"
        "duts:\n  d:\n    board: b\n    power: " +
        power + "\n    inputs: { sense: { instrument: r, channel: '8' } }\n    meters: { amps: { instrument: s, channel: 1/current } }\n");
  };
  const auto loaded = [this] { return *load_bench_config(dir_ / "bench.yaml", dir_ / "boards", all_drivers()).duts.at("d").power; };
  ASSERT_EQ(with("{ instrument: r, channel: '1', contact: normally-closed }"), "");
  EXPECT_TRUE(loaded().poles.at(0).normally_closed);
  ASSERT_EQ(with("{ poles: [{ instrument: r, channel: '1' }, { instrument: r, channel: '2', contact: normally-closed }], "
                 "verify: { input: sense, meter: { name: amps, below: 0.02 }, within_ms: 250 } }"),
            "");
  EXPECT_EQ(loaded().poles.size(), 2u);
  EXPECT_EQ(loaded().min_off, 300ms);
  EXPECT_EQ(loaded().verify_input, "sense");
  EXPECT_EQ(loaded().verify_meter->below, 0.02);
  EXPECT_EQ(loaded().verify_within, 250ms);
  EXPECT_TRUE(has(with("{}"), "give either `instrument:` and `channel:`, or `poles:`"));
  EXPECT_TRUE(has(with("{ instrument: r }"), "'channel' is missing"));
  EXPECT_TRUE(has(with("{ instrument: r, channel: '1', poles: [{ instrument: r, channel: '2' }] }"), "give either"));
  EXPECT_TRUE(has(with("{ poles: [] }"), "nothing would be switched"));
  EXPECT_TRUE(
      has(with("{ poles: [{ instrument: r, channel: '1' }, { instrument: r, channel: '1' }] }"), "is already duts.d.power.poles.0"));
  EXPECT_TRUE(has(with("{ instrument: r, channel: '1', contact: open }"), "choose one of: normally-open, normally-closed"));
  EXPECT_TRUE(has(with("{ instrument: r, channel: '1', verify: { console_silence_ms: 100 } }"), "needs console 'main'"));
  EXPECT_TRUE(has(with("{ instrument: r, channel: '1', verify: { input: sens } }"), "(did you mean 'sense'?)"));
  EXPECT_TRUE(has(with("{ instrument: r, channel: '1', verify: { meter: { name: volts, below: 1 } } }"), "choose one of: amps"));
  EXPECT_TRUE(has(with("{ instrument: r, channel: '1', verify: { meter: { name: amps } } }"), "'below' is missing"));
  EXPECT_TRUE(has(with("{ instrument: [], channel: '1', safe_state: 3, verify: 7 }"), "safe_state"));
}

TEST_F(ConfigTest, ASupplyIsOneOfTheBenchAndSwitchesNobodyOnOutOfTurn) {
  board("b", std::string("board: b\n") + kMachine);
  const std::string begin =
      "bench: x\nsupplies: { mains: { stagger_ms: 500 }, spare: { stagger_ms: 0 } }\ninstruments: { m: { board: b } }\n";
  const auto dut = [&](const std::string& power) {
    return begin + "duts:\n  d: { board: b, power: { instrument: m, channel: power, " + power + " } }\n";
  };
  EXPECT_EQ(problems(dut("supply: mains")), "");
  const auto bench = load_bench_config(dir_ / "bench.yaml", dir_ / "boards", all_drivers());
  EXPECT_EQ(bench.supplies.at("mains"), 500ms);
  EXPECT_EQ(bench.duts.at("d").power->supply, "mains");
  const auto unknown = problems(dut("supply: main"));
  EXPECT_TRUE(has(unknown, "bench.yaml:5:")) << unknown;
  EXPECT_TRUE(has(unknown, "'main' is no supply of this bench (did you mean 'mains'?); choose one of: mains, spare")) << unknown;
  EXPECT_TRUE(has(problems(dut("supply: mains, safe_state: on")), "would switch it on out of its turn"));
  EXPECT_TRUE(has(problems("bench: x\nsupplies: { mains: { stagger_ms: -1 } }\ninstruments: {}\nduts: {}\n"), "out of range"));
  EXPECT_TRUE(has(problems("bench: x\nsupplies: { mains: {} }\ninstruments: {}\nduts: {}\n"), "'stagger_ms' is missing"));
  EXPECT_TRUE(has(problems("bench: x\nsupplies: { mains: 500 }\ninstruments: {}\nduts: {}\n"), "must be a mapping"));
}

TEST_F(ConfigTest, KeysThatDoNotFitTogetherAreTheDriversToSay) {
  const auto with = [this](const std::string& keys) {
    return problems("bench: x\ninstruments:\n  i: { driver: " + keys + " }\nduts: {}\n");
  };
  EXPECT_EQ(with("modbus-relay, host: h"), "");
  EXPECT_EQ(with("modbus-relay, serial: /dev/ttyUSB0"), "");
  EXPECT_TRUE(
      has(with("modbus-relay, host: h, serial: /dev/ttyUSB0"), "bench.yaml:3:6: instruments.i: both 'host' and a serial port are given"));
  EXPECT_TRUE(has(with("scpi-supply"), "give 'host', 'serial' or 'usb'"));
  EXPECT_EQ(with("scpi-supply, usb: { serial: A1B2 }"), "");
  EXPECT_EQ(with("numato-relay, channels: 2, usb: { vid_pid: '2a19:0c02' }"), "");
  EXPECT_TRUE(has(with("numato-relay, channels: 2, usb: { vid_pid: '2a19' }"), "four hexadecimal digits"));
  EXPECT_TRUE(has(with("lcus-relay, port: /dev/ttyUSB0, usb: { path: 1-1 }"), "both 'port' and 'usb' are given"));
  EXPECT_TRUE(has(with("serial-lines"), "give 'port' or 'usb'"));
  EXPECT_TRUE(has(with("http, host: h, switch_on: { target: on }, switch_off: { target: /off }"), "does not begin with '/'"));
  EXPECT_TRUE(has(with("command, switch_on: [a], switch_off: [b], state: { command: [c], is_on: '(', is_off: b }"), "no regex"));
  EXPECT_TRUE(has(with("command, switch_on: [a], switch_off: []"), "`switch_off:` is empty"));
  EXPECT_TRUE(has(with("scpi-supply, host: h, outputs: []"), "'outputs' is empty"));
  EXPECT_TRUE(has(with("snmp-pdu, host: h, profile: generic"), "needs 'oid'"));
  const auto typo = with("modbus-relay, host: h, serial: s, baud: fast");
  EXPECT_FALSE(has(typo, "both")) << "first what is wrong with each";
}

TEST_F(ConfigTest, LinesAreHeldByWhatHasThem) {
  board("b", "board: b\n");
  const auto with = [this](const std::string& instrument) {
    return problems(
        "bench: x\ninstruments:\n  line: { driver: " + instrument +
        " }\nduts:\n  d: { board: b, consoles: { main: { instrument: line, channel: console, while_off: { tx_low: true } } } }\n");
  };
  EXPECT_EQ(with("serial, port: /dev/ttyUSB0"), "");
  EXPECT_EQ(with("rfc2217, host: h, port: 4000"), "");
  EXPECT_TRUE(has(with("tcp-console, host: h, port: 4000"),
                  "bench.yaml:5:85: duts.d.consoles.main.while_off: 'line' (driver tcp-console) has no lines to hold"))
      << with("tcp-console, host: h, port: 4000");
  EXPECT_TRUE(has(with("command-console, program: telnet"), "has no lines to hold"));
}

TEST_F(ConfigTest, AnAdapterThatComesWithThePowerNeedsPowerThatIsOffAtFirst) {
  board("b", "board: b\n");
  const auto with = [this](const std::string& instrument, const std::string& power) {
    return problems("bench: x\ninstruments:\n  relay: { driver: modbus-relay, host: h }\n  line: { driver: " + instrument +
                    " }\nduts:\n  d: { board: b, " + power +
                    "consoles: { main: { instrument: line, channel: console, comes_with_power: true } } }\n");
  };
  const std::string serial = "serial, usb: { serial: A1 }", power = "power: { instrument: relay, channel: '1' }, ";
  EXPECT_EQ(with(serial, power), "");
  EXPECT_TRUE(has(with(serial, ""), "needs a `power:` whose `safe_state` is off")) << with(serial, "");
  EXPECT_TRUE(has(with(serial, "power: { instrument: relay, channel: '1', safe_state: keep }, "), "needs a `power:`"));
  // A program or a host that is missing is a mistake, and no adapter without power.
  for (const std::string other : {"command-console, program: telnet", "rfc2217, host: h, port: 4000", "tcp-console, host: h, port: 1"})
    EXPECT_TRUE(has(with(other, power), "is there without the DUT")) << with(other, power);
}

TEST_F(ConfigTest, WhatIsNoYamlOrNoTextIsSaidAndNothingCrashes) {
  EXPECT_TRUE(has(problems("bench: [\n"), "is not YAML"));
  EXPECT_TRUE(has(problems(""), "must be a mapping"));
  EXPECT_TRUE(has(problems(std::string("bench: \0x\n", 10)), "is not UTF-8"));
  EXPECT_TRUE(has(problems("bench: \xff\xfe\n"), "is not UTF-8"));
  EXPECT_TRUE(has(problems("bench: a\nbench: b\ninstruments: {}\nduts: {}\n"), "given twice"));
  std::string deep = "bench: ";
  for (int i = 0; i < 3000; ++i) deep += "[";
  EXPECT_NE(problems(deep), "");
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c)
    bomb += std::string(1, c) + ": &" + c + " [*" + std::string(1, static_cast<char>(c - 1)) + ",*" +
            std::string(1, static_cast<char>(c - 1)) + ",*" + std::string(1, static_cast<char>(c - 1)) + ",*" +
            std::string(1, static_cast<char>(c - 1)) + "]\n";
  EXPECT_NE(problems(bomb), "");
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
  try {
    load_bench_config(dir_ / "none.yaml", dir_ / "boards", all_drivers());
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_TRUE(has(error.what(), "none.yaml:1:1: there is no such file")) << error.what();
  }
}

TEST_F(ConfigTest, AUsbDeviceIsSaidByPathSerialOrIdsAndBelongsToOneDut) {
  board("b", "board: b\nusb: { expected: [{ vid: 0x0525, pid: 0xa4a7, interfaces: [{ class: cdc-data }] }], forbidden_classes: [hid] }\n");
  const auto with = [this](const std::string& duts) { return problems("bench: x\ninstruments: {}\nduts:\n" + duts); };
  EXPECT_EQ(with("  d: { board: b, usb: { path: 1-1.2 } }\n  e: { board: b, usb: { vid: 0x0525, pid: 0xa4a7 } }\n"), "");
  EXPECT_TRUE(has(with("  d: { board: b, usb: { vid: 0x0525 } }\n"), "duts.d.usb: says not which device"));
  EXPECT_TRUE(has(with("  d: { board: b, usb: { path: 1-1 } }\n  e: { board: b, usb: { path: 1-1 } }\n"), "is already duts.d.usb"));
  board("b", "board: b\nusb: { forbidden_classes: [hdi] }\n");
  EXPECT_TRUE(has(with("  d: { board: b }\n"), "hid"));
}

}  // namespace
}  // namespace hilcop
