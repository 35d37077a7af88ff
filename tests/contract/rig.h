// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "keeper/driver.h"

namespace hilcop {

/// What the far end of an instrument does when it is told something.
enum class Behaviour {
  Sound,
  Mute,       // hears it, answers nothing, does nothing
  Late,       // does it, and answers after the deadline (half a second later)
  Garbage,    // answers with bytes that are none of its protocol
  Truncated,  // breaks its answer off in the middle and stays silent
  HangsUp,    // closes the connection, or is unplugged, instead of answering
  Refuses,    // answers that it will not, and does nothing
  Lies,       // says that it did, and does nothing
};

/// The far end of a driver for the contract suite (instrument_contract_test.cc): it must be able to tell, without the driver, what
/// the world sees of each output. One file rigs/<driver>_instrument_rig.cc for each driver that the keeper holds, with '-' as '_':
/// it defines `std::unique_ptr<InstrumentRig> make_<driver>_instrument_rig()`. The build finds it.
class InstrumentRig {
 public:
  virtual ~InstrumentRig() = default;
  /// As lab-config would give it; keys that are left out get their defaults. `timeout_ms`-like keys well above a second, so that
  /// the caller's deadline is what ends a call.
  virtual nlohmann::json config() const = 0;
  /// Two different outputs; the second may be empty for an instrument of one.
  virtual std::string output() const { return "1"; }
  virtual std::string other_output() const { return "2"; }
  /// What the world sees (the lamp at the contact), not what the driver or the protocol says.
  virtual bool is_on(const std::string& output) const = 0;
  virtual void behave(Behaviour behaviour) = 0;
  /// What the protocol makes impossible, each with why: its tests are skipped with these words. Everything else is tried.
  virtual std::map<Behaviour, std::string> impossible() const { return {}; }
  /// An input or a meter of it, if it has any, and what the world is there: nothing (low; no current), or something.
  virtual std::string sensor() const { return ""; }
  virtual void world(bool something) { static_cast<void>(something); }
  /// Whether the protocol answers a switch command; whether the instrument can be asked for a state.
  virtual bool acknowledges() const { return true; }
  virtual bool reads_back() const { return true; }
};

/// The far end of a console that a worker opens (console_contract_test.cc): rigs/<driver>_console_rig.cc,
/// `std::unique_ptr<ConsoleRig> make_<driver>_console_rig()`.
class ConsoleRig {
 public:
  virtual ~ConsoleRig() = default;
  virtual nlohmann::json config() const = 0;
  /// The device's end of the line: bytes, also 0xff, 0x00 and CR LF, go through as they are.
  virtual void says(std::string_view bytes) = 0;
  virtual std::string hears(std::size_t bytes) = 0;
  /// The adapter is unplugged, the server ends, the command dies; and is there again.
  virtual void go() = 0;
  virtual void come_back() = 0;
  virtual bool has_modem_lines() const { return false; }
  virtual bool asserted(ModemLine) const { return false; }  // as the device's end sees it
  virtual int breaks() const { return 0; }                  // seen at the device's end
};

struct InstrumentRigEntry {
  std::string driver;
  std::function<std::unique_ptr<InstrumentRig>()> make;
};
struct ConsoleRigEntry {
  std::string driver;
  std::function<std::unique_ptr<ConsoleRig>()> make;
};
/// What a failure calls them.
inline std::ostream& operator<<(std::ostream& out, const InstrumentRigEntry& entry) { return out << entry.driver; }
inline std::ostream& operator<<(std::ostream& out, const ConsoleRigEntry& entry) { return out << entry.driver; }
/// Generated from rigs/.
std::span<const InstrumentRigEntry> instrument_rigs();
std::span<const ConsoleRigEntry> console_rigs();

/// The driver of a rig, and its configuration with defaults filled in, as the loader would.
const Driver& driver_of(const std::string& name);
InstrumentConfig full_config(const std::string& driver, const nlohmann::json& given);

}  // namespace hilcop
