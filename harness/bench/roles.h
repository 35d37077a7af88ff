// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "capture/capture_ring.h"
#include "io/usb_descriptors.h"
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

/// A USB device as it shows itself, all its configurations and settings included.
struct UsbShown {
  UsbIdentity id;
  double speed_mbps = 0;
  int class_code = 0;  // of the device; 0: each interface has its own
  std::vector<UsbFunction> functions;
};

/// What the DUT shows at its USB socket, and below it if it is a hub. Looks at the kernel's list; only reset() opens the device.
/// Coming and going are events usb.arrived and usb.left; what the board file does not declare is an event usb.unexpected.
class UsbPort {
 public:
  virtual ~UsbPort() = default;
  virtual bool present() = 0;
  virtual std::vector<UsbShown> devices() = 0;
  /// The one that lab-config means. Throws Error{NotFound}, naming what is there instead.
  virtual UsbShown device() = 0;
  /// False at the deadline. Throw Interrupted.
  virtual bool wait_present(Deadline deadline) = 0;
  virtual bool wait_absent(Deadline deadline) = 0;
  /// A reset of the USB port: the device starts its USB side again, and may come back as another. Throws Error.
  virtual void reset(Deadline deadline) = 0;
  /// What was seen since the bench was opened and is not declared; a sentence each.
  virtual std::vector<std::string> unexpected() = 0;
  /// Whether it has gone since then, waiting until the deadline: false: something is still there; nullopt: it was not there before,
  /// so its absence proves nothing.
  virtual std::optional<bool> gone_since(SteadyTime since, Deadline deadline) = 0;

  /// From the return on what passes between this host and all that the DUT shows is recorded (usbmon, pcapng of link type 220), into a new
  /// file, a FIFO with a reader, or a ring named after it. What the bench does to the DUT is a comment in it. Throws Error: Unsupported
  /// where the kernel has no usbmon, PermissionDenied, Busy where the name is taken.
  virtual void start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) = 0;
  /// Its figures ({packets, dropped, files, failure...}), when what had passed is in the file. Throw Error: NotFound; sync also Timeout,
  /// and why the file could not be written.
  virtual nlohmann::json stop_capture(const std::string& name) = 0;
  virtual nlohmann::json sync_capture(const std::string& name, Deadline deadline) = 0;
};

}  // namespace hilcop
