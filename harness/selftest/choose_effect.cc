// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "selftest/power_effect.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;

class ClockEffect final : public PowerEffect {
 public:
  explicit ClockEffect(std::string dut) : dut_(std::move(dut)) {}
  const std::string& name() const override { return name_; }
  void prepare(bool) override {}
  Seen observe(const PowerEdge& edge, Deadline) override {
    const auto at = edge.result.details.value("effect_ns", nlohmann::json());
    if (!at.is_number_integer())
      throw Error(ErrorKind::Unsupported, "power of dut '" + dut_ + "'", "has no clock of its own: only a virtual board has one",
                  "choose another --effect: console, link, usb, input or meter");
    return {from_ns(at.get<std::int64_t>()) - edge.result.commanded, {}, ""};
  }

 private:
  std::string dut_, name_ = "clock of the virtual board";
};

// The kernel's word for a link: 1 or 0; EINVAL while the interface is down, which is no link.
bool has_carrier(const fs::path& file) {
  std::ifstream stream(file);
  char said = '0';
  return stream.get(said) && said == '1';
}

std::string names_in(const fs::path& folder) {
  std::string names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) names += (names.empty() ? "" : ", ") + entry.path().filename().string();
  return names.empty() ? "none" : names;
}

Error bad(const std::string& wanted, const std::string& why, const std::string& remedy) {
  return {ErrorKind::Config, "--effect " + wanted, why, remedy};
}

std::unique_ptr<PowerEffect> by_link(const std::string& wanted, const std::string& interface, const fs::path& sysfs) {
  const auto folder = sysfs / "class/net" / interface;
  if (interface.empty() || interface.find('/') != std::string::npos || !fs::exists(folder))
    throw bad(wanted, "there is no such network interface", "link:INTERFACE with one of: " + names_in(sysfs / "class/net"));
  return make_polled_effect("link " + interface, "link of interface " + interface,
                            [file = folder / "carrier"] { return has_carrier(file); });
}

std::unique_ptr<PowerEffect> by_usb(const std::string& wanted, const std::string& place, const fs::path& sysfs) {
  if (place.empty() || place.find_first_not_of("0123456789-.") != std::string::npos)
    throw bad(wanted, "names no place of a USB device",
              "usb:PLACE as the kernel calls it, with the device's: " + names_in(sysfs / "bus/usb/devices"));
  return make_polled_effect("usb " + place, "USB device " + place, [file = sysfs / "bus/usb/devices" / place] { return fs::exists(file); });
}

std::unique_ptr<PowerEffect> by_input(const std::string& name, Dut& dut) {
  auto& input = dut.input(name);  // says what there is
  return make_polled_effect("input " + name, "input '" + name + "' of dut '" + dut.config().name + "'",
                            [&input] { return input.get(Deadline::in(5s)); });
}

std::unique_ptr<PowerEffect> by_meter(const std::string& wanted, const std::string& name, Dut& dut) {
  auto& meter = dut.meter(name);  // says what there is
  const auto& threshold = dut.config().power->verify_meter;
  if (!threshold || threshold->meter != name)
    throw bad(wanted, "nobody says what it shows less than while the DUT has no power",
              "give `verify: { meter: { name: " + name + ", below: ... } }` in the DUT's `power:`");
  return make_polled_effect("meter " + name, "meter '" + name + "' of dut '" + dut.config().name + "'",
                            [&meter, below = threshold->below] { return meter.read(Deadline::in(5s)).value >= below; });
}

}  // namespace

std::unique_ptr<PowerEffect> make_clock_effect(const Dut& dut) { return std::make_unique<ClockEffect>(dut.config().name); }

Nanoseconds byte_time_of(const InstrumentConfig& instrument) {
  const auto& config = instrument.config;
  const auto number = [&](const char* key, double fallback) {
    const auto found = config.find(key);
    return found != config.end() && found->is_number() ? found->get<double>() : fallback;
  };
  const double baud = number("baud", 0);
  if (baud <= 0) return {};
  const bool parity = config.value("parity", nlohmann::json("none")) != "none";
  const double bits = 1 + number("data_bits", 8) + (parity ? 1 : 0) + number("stop_bits", 1);
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(bits / baud));
}

std::unique_ptr<PowerEffect> choose_effect(const std::string& wanted, Dut& dut, const BenchConfig& bench, const Arrivals& arrivals,
                                           const fs::path& sysfs) {
  const auto colon = wanted.find(':');
  std::string kind = wanted.substr(0, colon), name = colon == std::string::npos ? "" : wanted.substr(colon + 1);
  if (kind.empty()) {
    const auto& power = bench.instruments.at(dut.config().power->poles.front().role.instrument);
    const auto& machine = dut.config().board.machine;
    kind = machine.is_object() && machine.value("driver", "") == power.driver ? "clock" : "console";
  }
  if (kind == "clock") return make_clock_effect(dut);
  if (kind == "link") return by_link(wanted, name, sysfs);
  if (kind == "usb") return by_usb(wanted, name, sysfs);
  if (kind == "input") return by_input(name, dut);
  if (kind == "meter") return by_meter(wanted, name, dut);
  if (kind == "console") {
    if (name.empty()) name = "main";
    dut.console(name);  // says what there is
    return make_console_effect(dut, name, arrivals, byte_time_of(bench.instruments.at(dut.config().consoles.at(name).instrument)));
  }
  throw bad(wanted, "is no effect", "choose one of: console[:NAME], clock, link:INTERFACE, usb:PLACE, input:NAME, meter:NAME");
}

}  // namespace hilcop
