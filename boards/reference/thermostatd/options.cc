// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <charconv>
#include <functional>

#include "error.h"

namespace ht1 {
namespace {

struct Option {
  const char* name;
  const char* says;
  std::function<void(Options&, const std::string&)> take;
};

int number(const std::string& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    throw Failure("wants a number from " + std::to_string(least) + " to " + std::to_string(most) + ", not '" + text + "'");
  return value;
}

void add_place(Options& o, const std::string& text) {
  const auto equals = text.find('='), colon = text.rfind(':');
  if (equals == std::string::npos || colon == std::string::npos || colon < equals || equals == 0)
    throw Failure("wants NAME=ADDRESS:PORT, not '" + text + "'");
  o.resolve[text.substr(0, equals)] = {text.substr(equals + 1, colon - equals - 1), number(text.substr(colon + 1), 1, 65535)};
}

std::filesystem::path unless_none(const std::string& text) { return text == "none" ? "" : text; }

const std::vector<Option>& table() {
  static const std::vector<Option> all = {
      {"factory", "folder of the unit's factory data", [](Options& o, const std::string& v) { o.factory = v; }},
      {"data", "folder of the data partition", [](Options& o, const std::string& v) { o.data = v; }},
      {"fuses", "the one-time-programmable memory", [](Options& o, const std::string& v) { o.fuses = v; }},
      {"disk", "disk with the boot state, or none", [](Options& o, const std::string& v) { o.disk = unless_none(v); }},
      {"address", "IPv4 address to listen on", [](Options& o, const std::string& v) { o.address = v; }},
      {"port", "HTTPS port; 0: any", [](Options& o, const std::string& v) { o.port = number(v, 0, 65535); }},
      {"plain-port", "HTTP port of a unit with that flaw", [](Options& o, const std::string& v) { o.plain_port = number(v, 0, 65535); }},
      {"udp-port", "UDP port of a unit with that flaw", [](Options& o, const std::string& v) { o.udp_port = number(v, 0, 65535); }},
      {"pins", "folder with led and button (sysfs GPIO), or none", [](Options& o, const std::string& v) { o.pins = unless_none(v); }},
      {"version", "version that runs", [](Options& o, const std::string& v) { o.version = v; }},
      {"slot", "slot that runs", [](Options& o, const std::string& v) { o.slot = v; }},
      {"console", "file for the HT-1: lines; default stdout", [](Options& o, const std::string& v) { o.console = v; }},
      {"ready", "file that gets the HTTPS port when it is ready", [](Options& o, const std::string& v) { o.ready = v; }},
      {"watchdog", "watchdog device, or none", [](Options& o, const std::string& v) { o.watchdog = unless_none(v); }},
      {"resolve", "NAME=ADDRESS:PORT in place of DNS; may be repeated", add_place},
      {"rauc", "program that installs: PROGRAM install BUNDLE", [](Options& o, const std::string& v) { o.rauc = v; }},
      {"hostname-program", "program that is given the device's name", [](Options& o, const std::string& v) { o.hostname_program = v; }},
      {"recovery-patience", "seconds after which a recovery without an update tries the slots again",
       [](Options& o, const std::string& v) { o.recovery_patience_s = number(v, 1, 604800); }},
      {"update-every", "seconds between looks for updates",
       [](Options& o, const std::string& v) { o.update_every_s = number(v, 1, 604800); }},
      {"telemetry-every", "seconds between telemetry", [](Options& o, const std::string& v) { o.telemetry_every_s = number(v, 1, 86400); }},
      {"button-hold-ms", "how long the button is held for a reset",
       [](Options& o, const std::string& v) { o.button_hold_ms = number(v, 1, 60000); }},
  };
  return all;
}

}  // namespace

Place Options::place_of(const std::string& name, int usual_port) const {
  const auto found = resolve.find(name);
  return found == resolve.end() ? Place{name, usual_port} : found->second;
}

Options parse_options(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Option* known = nullptr;
    for (const auto& one : table())
      if (words[i] == std::string("--") + one.name) known = &one;
    if (known == nullptr) throw Failure("thermostatd: no option '" + words[i] + "'; they are:\n" + options_help());
    if (++i == words.size()) throw Failure("thermostatd: --" + std::string(known->name) + " wants a value: " + known->says);
    try {
      known->take(options, words[i]);
    } catch (const Failure& e) {
      throw Failure("thermostatd: --" + std::string(known->name) + " " + e.what());
    }
  }
  if (options.factory.empty() || options.data.empty() || options.fuses.empty())
    throw Failure("thermostatd: --factory, --data and --fuses are needed; the options are:\n" + options_help());
  return options;
}

std::string options_help() {
  std::string text;
  for (const auto& one : table()) text += std::string("  --") + one.name + " VALUE: " + one.says + "\n";
  return text;
}

}  // namespace ht1
