// SPDX-License-Identifier: Apache-2.0
#include "io/serial_keys.h"

#include <algorithm>
#include <string>

namespace hilcop {
namespace {

using Type = KeySpec::Type;

// Functions, for drivers are made before main(), in any order.
std::vector<std::string> parities() { return {"none", "odd", "even", "mark", "space"}; }
std::vector<std::string> flows() { return {"none", "rts-cts", "xon-xoff"}; }

template <typename Enum>
Enum chosen(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<Enum>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

std::vector<KeySpec> serial_line_keys() {
  return {{.name = "baud", .type = Type::Integer, .description = "bits per second", .fallback = 115200, .min = 50, .max = 12'000'000},
          {.name = "data_bits", .type = Type::Integer, .description = "of a byte", .fallback = 8, .min = 5, .max = 8},
          {.name = "parity", .type = Type::String, .description = "of a byte", .fallback = "none", .choices = parities()},
          {.name = "stop_bits", .type = Type::Integer, .description = "of a byte", .fallback = 1, .min = 1, .max = 2},
          {.name = "flow", .type = Type::String, .description = "flow control", .fallback = "none", .choices = flows()},
          {.name = "dtr", .type = Type::String, .description = "how DTR stands", .fallback = "on", .choices = {"on", "off"}},
          {.name = "rts", .type = Type::String, .description = "how RTS stands", .fallback = "on", .choices = {"on", "off"}}};
}

SerialSettings serial_settings(const nlohmann::json& config) {
  SerialSettings settings;
  settings.baud = config.at("baud");
  settings.data_bits = config.at("data_bits");
  settings.parity = chosen<Parity>(parities(), config.at("parity"));
  settings.stop_bits = config.at("stop_bits");
  settings.flow = chosen<FlowControl>(flows(), config.at("flow"));
  settings.dtr = config.at("dtr") == "on";
  settings.rts = config.at("rts") == "on";
  return settings;
}

}  // namespace hilcop
