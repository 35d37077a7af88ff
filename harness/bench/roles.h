// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "base/deadline.h"
#include "keeper/instrument.h"

namespace hilcop {

/// What is known of one switching of a DUT's power.
struct PowerEdge {
  bool on = false;
  SwitchResult result;
  /// By what it was verified ("read-back", "console-silence", "input sense", "meter supply"); empty: not verified.
  std::string verified_by;
};

/// A DUT's power. Off before the minimum off time has passed waits it out before the next on. Each call is an event
/// power.edge on the timeline. Blocks; throws Error, Interrupted.
class PowerPort {
 public:
  virtual ~PowerPort() = default;
  virtual PowerEdge on(Deadline deadline) = 0;
  /// `options` are the driver's ({"loss": "torn", "seed": 7} for a virtual board). Error{Protocol} when off could not be
  /// verified by the means that lab-config names.
  virtual PowerEdge off(const nlohmann::json& options, Deadline deadline) = 0;
  /// The keeper cuts at that steady-clock time.
  virtual PowerEdge off_at(SteadyTime when, const nlohmann::json& options, Deadline deadline) = 0;
  /// Arms a cut that the instrument does itself (see Instrument::arm), then wait_cut() returns its edge; nullopt at the deadline.
  virtual void arm_cut(const nlohmann::json& options, Deadline deadline) = 0;
  virtual std::optional<PowerEdge> wait_cut(Deadline deadline) = 0;
  /// As the instrument reads it back; nullopt where it cannot.
  virtual std::optional<bool> state(Deadline deadline) = 0;
  virtual nlohmann::json report(Deadline deadline) = 0;
  /// Sets what the supply gives, {"volts": 4.2, "amps": 0.5}, without switching it, until it is next switched off. Event power.adjust.
  virtual nlohmann::json adjust(const nlohmann::json& setting, Deadline deadline) = 0;
};

/// A quantity that an instrument measures. Each reading is an event meter.reading.
class Meter {
 public:
  virtual ~Meter() = default;
  virtual Reading read(Deadline deadline) = 0;
};

/// A line that the bench drives; `set(true)` means asserted whatever the polarity.
class DigitalOutput {
 public:
  virtual ~DigitalOutput() = default;
  virtual SwitchResult set(bool asserted, Deadline deadline) = 0;
};

class DigitalInput {
 public:
  virtual ~DigitalInput() = default;
  virtual bool get(Deadline deadline) = 0;
  /// Polls at most every `period` until the level is there; false at the deadline.
  bool wait_for(bool level, Nanoseconds period, Deadline deadline);
};

/// A key of the device. Events button.press and button.release carry the measured times.
class Button {
 public:
  virtual ~Button() = default;
  virtual SwitchResult press(Deadline deadline) = 0;
  virtual SwitchResult release(Deadline deadline) = 0;
  /// press, wait, release; returns how long it was really held, from acknowledgement to acknowledgement. Released also when interrupted.
  Nanoseconds hold(Nanoseconds length, Deadline deadline);
};

}  // namespace hilcop
