// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "bench/config.h"
#include "bench/network_port.h"
#include "bench/roles.h"
#include "bench/storage.h"
#include "console/boot_log.h"
#include "console/io_loop.h"
#include "io/line_faults.h"

namespace hilcop {

struct BootResult {
  std::uint64_t begin_offset = 0;  // console offset at power-on
  std::vector<StageTime> stages;
  bool complete = false;
  std::string missing;  // the stage that did not come in time; empty when complete
  /// Emulated boards: how long the host kept the emulator waiting during this boot, and whether that alone explains every stage
  /// that is late or missing. Such a boot judges the host, not the device.
  Nanoseconds starved{};
  bool starved_only = false;
};

/// This very unit on this bench. Roles that lab-config does not give throw Error{NotFound} naming what to add.
class Dut {
 public:
  virtual ~Dut() = default;
  virtual const DutConfig& config() const = 0;
  virtual PowerPort& power() = 0;
  /// What `hilcop calibrate` found of its power, as in the run record (evidence/docs/run-record.md); null: never calibrated.
  virtual nlohmann::json power_timing() const = 0;
  virtual Console& console(const std::string& name = "main") = 0;
  virtual Button& button(const std::string& name) = 0;
  virtual DigitalOutput& output(const std::string& name) = 0;
  virtual DigitalInput& input(const std::string& name) = 0;
  virtual UsbPort& usb() = 0;
  virtual NetworkPort& network() = 0;
  virtual Meter& meter(const std::string& name) = 0;
  /// Keys and outputs of these names asserted, or let go, in one command (straps that are held while power comes on). All or none:
  /// where one fails the others are let go. Results in the order of the names.
  virtual std::vector<SwitchResult> set_together(const std::vector<std::string>& names, bool asserted, Deadline deadline) = 0;
  virtual Storage& storage(const std::string& name = "main") = 0;
  /// Where what is done with it is told.
  virtual EventSink& events() = 0;
  /// Pulses the reset line for `hold`.
  virtual void reset(Nanoseconds hold, Deadline deadline) = 0;
  /// Waits for the boot stages up to and including `stage` (empty: the last) since the last power-on or reset. Each has its
  /// own limit from the board file; a stage that is late is reported (within = false), one that does not come by
  /// min(deadline, limit * patience) ends the wait with complete = false. Fatal watchers throw as in Console::expect.
  virtual BootResult boot_to(const std::string& stage, Deadline deadline) = 0;
  /// Stages seen since the last power-on, without waiting.
  virtual BootResult boot_so_far() = 0;
  /// The boot since the last power-on or reset as the main console has it until now, with its lines; waits at most 0.3 s, for
  /// the end of a line that is on its way. Throws
  /// Error{Config} before the first power-on of this session, Error{NotFound} where the bytes are not kept (no record directory,
  /// and over 1 MiB ago), Error{Exhausted} where recording failed.
  virtual BootLog boot_log() = 0;
};

struct OpenOptions {
  std::vector<std::string> duts;       // empty: all of the file
  std::filesystem::path record_dir;    // console files; empty: not recorded
  std::filesystem::path capture_dir;   // captures of networks; empty: `network` in record_dir, where there is one
  bool shared_network = false;         // the DUTs hang on one network and hear each other; else on one each
  std::optional<Deadline> wait_until;  // queue for leases that others hold
  /// Told once for each thing that it has to wait for, before it queues: what it is, who holds it and since when.
  std::function<void(const std::string& text)> on_wait;
  std::string holder;                // for people: "hilcop run 4711"
  std::optional<LineFaults> faults;  // consoles misbehave on purpose: nothing that a run judges then stands
  KeeperClient::Options keeper;
};

/// One lab-config file, opened: leases of its DUTs, consoles recording, outputs at their safe state.
/// Opening leases every DUT, its consoles and its outputs, exclusively; what fails is released again. Closing (also by an
/// exception, a signal, SIGKILL) brings every leased output to its safe state.
class Bench {
 public:
  static std::unique_ptr<Bench> open(BenchConfig config, OpenOptions options, DriverTable drivers, EventSink& sink);
  virtual ~Bench() = default;
  virtual const BenchConfig& config() const = 0;
  virtual Dut& dut(const std::string& name) = 0;
  virtual std::vector<std::string> dut_names() const = 0;
  virtual KeeperClient& keeper() = 0;
  /// How often the output that powers a DUT has switched, as the keeper remembers it over all runs; 0 for a DUT without power.
  virtual std::uint64_t switch_count(const std::string& dut) = 0;
  /// Safe states, consoles flushed and closed, leases given back. Idempotent. Errors while closing are thrown once all is done.
  virtual void close() = 0;
  /// All that close() could not do, each with the DUT that it concerns; before close() and where nothing went wrong: none.
  virtual std::vector<std::pair<std::string, Error>> closing_errors() const = 0;
};

}  // namespace hilcop
