// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "bench/flash_config.h"
#include "bench/network_config.h"
#include "bench/role_config.h"
#include "console/console.h"
#include "io/usb.h"
#include "keeper/client.h"
#include "keeper/driver.h"

namespace hilcop {

/// A boot stage: reached when its pattern is seen, after the stages before it, within `deadline` of power-on.
struct BootStage {
  std::string name;
  Pattern pattern;
  Nanoseconds deadline{};
};

/// A watcher of a board file. On its consoles it takes the place of a linux watcher of the same name; `disabled`: with nothing.
struct BoardWatcher {
  Watcher watcher;
  std::string console;  // empty: every one
  bool disabled = false;
};

/// What a board shows as USB devices. Anything else is a finding.
struct BoardUsb {
  struct Interface {
    int class_code = 0;
    std::optional<int> subclass, protocol;  // nullopt: any
  };
  struct Device {
    int vid = 0, pid = 0;
    std::vector<Interface> interfaces;
  };
  std::vector<Device> expected;
  std::vector<int> forbidden_classes;
};

/// The profile of a product: boards/<name>.yaml. Pure data.
struct Board {
  std::string name;
  std::string description;
  std::vector<BootStage> boot_stages;  // in order; the last one is "ready for use"
  ShellFraming shell;
  bool has_shell = false;
  std::optional<ReplFraming> repl;  // where there is no shell
  std::string line_end = "\n";
  bool linux_watchers = false;
  std::vector<BoardWatcher> watchers;   // the board's own, beside stages and linux_watchers
  std::vector<std::string> boot_noise;  // regexes: what differs between sound boots of this board
  Nanoseconds min_off{};
  TransmitPacing pacing;
  std::optional<BoardUsb> usb;  // nullopt: it says nothing
  /// Commands, patterns and names that scenarios ask for by name, as the board declares them: {"data_write": "store put ..."}.
  nlohmann::json functions = nlohmann::json::object();
  /// How a qemu-machine instrument builds this board: {"driver": "qemu-machine", ...}; null for real hardware only.
  nlohmann::json machine;
  std::vector<FlashPart> flash, dump;  // the first is the one that is meant when none is named
  std::filesystem::path file;
  std::string sha256;  // of the file, for the run record
};

/// One output in the way of a DUT's power. Normally closed: the DUT has power while the output is off.
struct PowerPole {
  RoleConfig role;
  bool normally_closed = false;
};

/// A meter that shows whether a DUT has power: it draws less than so much while it has none.
struct PowerMeter {
  std::string meter;  // of the DUT's `meters:`
  double below = 0;   // in the meter's unit
};

struct PowerConfig {
  std::vector<PowerPole> poles;  // at least one; all are switched together, and the DUT has power while all of them are closed
  SafeState safe_state = SafeState::Off;
  Nanoseconds min_off{};                              // the larger of lab-config's and the board's
  bool verify_read_back = true;                       // where the instrument can
  std::optional<Nanoseconds> verify_console_silence;  // how long the console must be silent after off
  std::string verify_input;                           // of the DUT's `inputs:`: asserted while it has power; empty: none
  std::optional<PowerMeter> verify_meter;
  std::optional<Nanoseconds> verify_usb_gone;  // how long what it shows on USB may take to go after off
  Nanoseconds verify_within{};                 // how long input and meter may lag behind
  std::string supply;                          // of the bench; empty: shared with nobody
  std::uint64_t rated_switches = 0;            // what its contact is made for; 0: not known
};

struct OutputConfig {
  RoleConfig role;
  bool active_low = false;
  SafeState safe_state = SafeState::Off;
};

/// How the lines of a serial console stand while the DUT has no power, so that they do not feed it (back-feeding).
struct LinesWhileOff {
  bool tx_low = false;  // a break that lasts
  std::optional<bool> dtr, rts;
};

struct StorageConfig {
  std::string instrument;
  Nanoseconds appear{};
  std::optional<OutputConfig> mux;  // asserted: the host has it
};

struct DutConfig {
  std::string name;
  Board board;
  std::string serial_number;          // identity of the unit, for the record; may be empty
  std::filesystem::path unit_record;  // JSON of what its maker knows of it; empty: none
  std::optional<PowerConfig> power;
  std::map<std::string, RoleConfig> consoles;            // "main" is the first
  std::map<std::string, LinesWhileOff> lines_while_off;  // of consoles
  std::set<std::string> consoles_of_power;               // whose adapter the DUT powers
  std::map<std::string, OutputConfig> buttons;
  std::optional<OutputConfig> reset;
  std::map<std::string, OutputConfig> outputs;
  std::map<std::string, OutputConfig> inputs;
  std::optional<UsbSelector> usb;
  std::optional<NetworkConfig> network;
  std::map<std::string, RoleConfig> meters;
  std::map<std::string, StorageConfig> storage;
  std::map<std::string, std::string> flash_values;  // for {name} in the board's flash and dump
};

struct BenchConfig {
  std::string name;
  std::filesystem::path file;
  std::string sha256;
  std::map<std::string, InstrumentConfig> instruments;
  std::map<std::string, Nanoseconds> supplies;  // their stagger
  std::map<std::string, DutConfig> duts;
  std::map<std::string, RoleConfig> loopbacks;  // consoles of no DUT, whose output is wired to their input
  bool selftest_required = false;               // a run needs one that passed
  Nanoseconds selftest_max_age{};
};

/// Which instrument is behind each role of a DUT, for the run record: {"power": {"instrument", "driver", "channel", ...}, "console main":
/// ...}.
nlohmann::json instruments_of(const BenchConfig& bench, const DutConfig& dut);
/// Whether an output of the instrument of that identity is in the way of its power.
bool is_powered_by(const BenchConfig& bench, DriverTable drivers, const DutConfig& dut, const std::string& identity);

/// One thing wrong in a file. text(): "lab-config/x.yaml:12:7: duts.board1.power.instrument: 'rely' is no instrument of this
/// bench; choose one of: relay, machine".
struct ConfigProblem {
  std::string file;
  int line = 0, column = 0;  // 1-based
  std::string key_path, message;
  std::vector<std::string> choices;
  std::string text() const;
};

/// Loads and checks a lab-config file and the boards that it names (boards_dir/<name>.yaml, or a path). Opens nothing.
/// Throws ConfigError with all problems of all files at once.
BenchConfig load_bench_config(const std::filesystem::path& file, const std::filesystem::path& boards_dir, DriverTable drivers);
/// Where the boards of a lab-config file are when nobody says: the nearest folder `boards` above the file's own folder, as it is named and
/// then with links followed; where there is none, the one that would be beside that folder.
std::filesystem::path boards_dir_above(const std::filesystem::path& file);
/// Whether a file means to be a board and not a bench: it says `board:` and no `duts:` at its top.
bool is_board_file(const std::filesystem::path& file);
Board load_board(const std::filesystem::path& file, DriverTable drivers);

/// Error{Config} that carries every problem; what() lists them one a line.
class ConfigError : public Error {
 public:
  explicit ConfigError(std::vector<ConfigProblem> problems);
  const std::vector<ConfigProblem>& problems() const { return problems_; }

 private:
  std::vector<ConfigProblem> problems_;
};

}  // namespace hilcop
