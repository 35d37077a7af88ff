// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bench/bench.h"
#include "selftest/arrivals.h"

namespace hilcop {

/// Something that shows when a DUT's power really comes and goes. Used from one thread, as prepare, the switching, observe.
class PowerEffect {
 public:
  struct Seen {
    Nanoseconds latency{};     // from the command to the effect
    Nanoseconds resolution{};  // how far off that may be
    std::string dropped;       // why it counts for nothing; empty: it counts
  };
  virtual ~PowerEffect() = default;
  /// "console main", "link eth1".
  virtual const std::string& name() const = 0;
  /// Before a switching: makes sure that its effect would be seen. Throws Error{Protocol} where the effect is there without power or
  /// the other way round, Error{Unsupported} where this edge cannot be seen by it on this DUT.
  virtual void prepare(bool on) = 0;
  /// After it. Throws Error{Protocol} where the effect does not come by the deadline.
  virtual Seen observe(const PowerEdge& edge, Deadline deadline) = 0;
};

/// The first byte of a console after on, the last one before its silence after off. What does not speak steadily by itself is made to
/// answer: line ends are typed while its power goes.
std::unique_ptr<PowerEffect> make_console_effect(Dut& dut, const std::string& console, const Arrivals& arrivals, Nanoseconds byte_time);
/// When the instrument itself saw its effect (a virtual board's processor). Error{Unsupported} at the first switching of any other.
std::unique_ptr<PowerEffect> make_clock_effect(const Dut& dut);
/// What is looked at again and again, at most every `period`: whether it is there. The probe is called from a thread of its own; what it
/// throws is thrown by observe.
std::unique_ptr<PowerEffect> make_polled_effect(std::string name, std::string object, std::function<bool()> probe,
                                                Nanoseconds period = 1ms);

/// What `hilcop calibrate --effect` means: "console[:NAME]", "clock", "link:INTERFACE", "input:NAME", "meter:NAME" (by the threshold of
/// the power's `verify:`), "usb:PLACE" (a device's place on the bus: 1-1.2). Empty: the most exact one that the DUT has. `sysfs`: "/sys".
/// Throws Error{Config} with the choices.
std::unique_ptr<PowerEffect> choose_effect(const std::string& wanted, Dut& dut, const BenchConfig& bench, const Arrivals& arrivals,
                                           const std::filesystem::path& sysfs);

/// How long a byte takes on a console's line; 0: it has no line speed.
Nanoseconds byte_time_of(const InstrumentConfig& instrument);

}  // namespace hilcop
