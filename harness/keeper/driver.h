// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/key_spec.h"
#include "io/block_device.h"
#include "io/byte_stream.h"
#include "keeper/found_device.h"
#include "keeper/instrument.h"

namespace hilcop {

/// An instrument of a lab-config file, after checking: `config` holds every key of the driver's table, paths absolute, and under
/// `board` the board file that gave its keys, if one did.
struct InstrumentConfig {
  std::string name;    // as in lab-config: "relay", "board1-machine"
  std::string driver;  // "modbus-relay"
  nlohmann::json config = nlohmann::json::object();
};

/// The whole plug-in surface of a fixture. Exactly one of open, open_console and open_storage is set.
struct Driver {
  std::string name;     // as in lab-config: "modbus-relay"
  std::string summary;  // one line for `hilcop list`
  std::vector<KeySpec> keys;
  /// Why nobody has seen it work against a program or kernel of somebody else; empty: it was. `hilcop list` shows it.
  std::string unverified = {};
  /// Why keys that are each valid do not fit together ("both 'host' and 'serial' are given"); empty: they do. Optional.
  std::function<std::string(const InstrumentConfig&)> objection = {};
  /// The channels that it has by its keys. Not set: they are known when it is open (a hub's sockets), or it has one alone, whatever it is
  /// called (open_console, open_storage).
  std::function<std::vector<Channel>(const InstrumentConfig&)> channels = {};
  /// How long a sound one may take to switch and to tell of it: the limit of each attempt to bring it to a safe state.
  Nanoseconds answers_within = std::chrono::milliseconds(1500);
  /// What the thing is in the world ("modbus:127.0.0.1:502", "/dev/ttyUSB0"): two configurations with one identity are one
  /// instrument, and leases are by it.
  std::function<std::string(const InstrumentConfig&)> identity;
  /// Held by the keeper. Opens without changing any output. Throws Error.
  std::function<std::unique_ptr<Instrument>(const InstrumentConfig&, InstrumentEvent)> open = {};
  /// Opened in the worker, for consoles that need no keeper (a serial port).
  std::function<std::unique_ptr<ByteStream>(const InstrumentConfig&, Deadline)> open_console = {};
  /// Such a console has lines to hold: DTR, RTS and a break that lasts.
  bool holds_lines = false;
  /// What it opens is an adapter that may be the DUT's own, and is then there only while the DUT has power.
  bool unplugs = false;
  /// What is wrong with the thing for what it is configured to be, each a sentence with its reason; may ask it, changes nothing.
  /// For `hilcop check`. Throws Error where it cannot be asked: it is not there, or not accessible.
  std::function<std::vector<std::string>(const InstrumentConfig&)> check = {};
  /// How lab-config would name this device, if it can be an instrument of this driver: for `hilcop discover`. Opens nothing. Not set:
  /// such instruments cannot be found without sending something to them (those on a network).
  std::function<std::vector<Recognised>(const FoundDevice&)> recognise = {};
  /// Opened in the worker: a disk of a DUT, for this process alone; one try. Throws Error{NotFound} where it may still show itself.
  std::function<std::unique_ptr<BlockDevice>(const InstrumentConfig&, Deadline)> open_storage = {};
};

using DriverTable = std::span<const Driver* const>;

/// nullptr: no such driver.
const Driver* find_driver(DriverTable table, const std::string& name);

}  // namespace hilcop
