// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "bench/config.h"
#include "bench/roles.h"

namespace hilcop {

/// What a DUT does when its power changes: told before and after each switching. And what of it shows whether it has power.
struct PowerListener {
  virtual ~PowerListener() = default;
  virtual void before_on() = 0;
  virtual void after_on(const SwitchResult& result) = 0;
  /// It is about to be switched off at `when`: between this and after_off() the power may go at any time from then on.
  virtual void before_off(SteadyTime when) = 0;
  virtual void after_off() = 0;
  /// Instead of after_off(): the switching failed, and whether the power went is not known.
  virtual void off_failed() = 0;
  /// The main console, for proof of silence; nullptr: the DUT has none.
  virtual Console* main_console() = 0;
  /// What it shows on USB, for proof that it has gone; nullptr: lab-config gives it none.
  virtual UsbPort* usb_port() { return nullptr; }
  virtual DigitalInput& sensing_input(const std::string& name) = 0;
  virtual Meter& sensing_meter(const std::string& name) = 0;
};

/// Roles on channels that the keeper holds. Each switching is an event on the timeline.
/// `poles`: one lease for each of config.poles; all are switched in one command.
std::unique_ptr<PowerPort> make_power_port(std::string dut, PowerConfig config, std::vector<Lease*> poles, KeeperClient& keeper,
                                           PowerListener& listener, EventSink& sink);
std::unique_ptr<DigitalOutput> make_output(std::string source, Lease& lease, EventSink& sink);
std::unique_ptr<DigitalInput> make_input(Lease& lease, std::string object);
std::unique_ptr<Button> make_button(std::string source, Lease& lease, EventSink& sink);
std::unique_ptr<Meter> make_meter(std::string source, Lease& lease, EventSink& sink);

/// The event of a key that was pressed or let go, or of a line that was set.
void emit_line(const std::string& source, bool button, bool asserted, const SwitchResult& result, EventSink& sink);

}  // namespace hilcop
