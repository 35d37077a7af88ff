// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/event.h"
#include "bench/config.h"
#include "bench/roles.h"

namespace hilcop {

/// What a DUT does when its power changes: told before on, and after off.
struct PowerListener {
  virtual ~PowerListener() = default;
  virtual void before_on() = 0;
  virtual void after_on(const SwitchResult& result) = 0;
  virtual void after_off() = 0;
  /// The main console, for proof of silence; nullptr: the DUT has none.
  virtual Console* main_console() = 0;
  /// What it shows on USB, for proof that it has gone; nullptr: lab-config gives it none.
  virtual UsbPort* usb_port() { return nullptr; }
};

/// Roles on channels that the keeper holds. Each switching is an event on the timeline.
std::unique_ptr<PowerPort> make_power_port(std::string dut, PowerConfig config, Lease& lease, PowerListener& listener, EventSink& sink);
std::unique_ptr<DigitalOutput> make_output(std::string source, bool active_low, Lease& lease, EventSink& sink);
std::unique_ptr<DigitalInput> make_input(bool active_low, Lease& lease, std::string object);
std::unique_ptr<Button> make_button(std::string source, bool active_low, Lease& lease, EventSink& sink);

}  // namespace hilcop
