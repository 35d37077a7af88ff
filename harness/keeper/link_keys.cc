// SPDX-License-Identifier: Apache-2.0
#include "keeper/link_keys.h"

#include <algorithm>
#include <utility>

#include "io/host_address.h"
#include "io/serial_choice.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;

// Not a constant: the drivers' tables are made before those of this file would be.
const std::vector<std::string>& parities() {
  static const std::vector<std::string> names{"none", "odd", "even"};
  return names;
}

// The path stands at `serial`, or at `port` for an instrument that nothing else can reach.
SerialChoice serial_choice(const InstrumentConfig& instrument) {
  return {instrument.config, instrument.config.contains("serial") ? "serial" : "port"};
}

std::string tcp_address(const InstrumentConfig& instrument) {
  return instrument.config.at("host").get<std::string>() + ":" + std::to_string(instrument.config.at("port").get<int>());
}

}  // namespace

std::vector<KeySpec> serial_link_keys(int baud, const std::string& name) {
  auto keys = SerialChoice::keys(name);
  keys.push_back({.name = "baud", .type = Type::Integer, .description = "bits per second", .fallback = baud, .min = 50, .max = 12'000'000});
  keys.push_back({.name = "parity", .type = Type::String, .description = "of a byte", .fallback = "none", .choices = parities()});
  return keys;
}

std::vector<KeySpec> link_keys(int tcp_port, int baud) {
  std::vector<KeySpec> keys{
      {.name = "host", .type = Type::String, .description = "its address; or give `serial` or `usb`"},
      {.name = "port", .type = Type::Integer, .description = "TCP port", .fallback = tcp_port, .min = 1, .max = 65535}};
  const auto serial = serial_link_keys(baud, "serial");
  keys.insert(keys.end(), serial.begin(), serial.end());
  return keys;
}

bool is_serial(const InstrumentConfig& instrument) { return !instrument.config.contains("host") || instrument.config.at("host").is_null(); }

std::string link_objection(const InstrumentConfig& instrument) {
  const auto serial = serial_choice(instrument);
  if (is_serial(instrument))
    return serial.given() || !instrument.config.contains("host") ? serial.objection() : "give 'host', 'serial' or 'usb'";
  return serial.given() ? "both 'host' and a serial port are given: keep the one by which it is reached" : "";
}

std::string serial_node(const InstrumentConfig& instrument, const std::string& object) { return serial_choice(instrument).node(object); }

SerialSettings serial_settings(const InstrumentConfig& instrument) {
  SerialSettings settings;
  settings.baud = instrument.config.at("baud");
  const auto parity = std::find(parities().begin(), parities().end(), instrument.config.at("parity").get<std::string>());
  settings.parity = static_cast<Parity>(parity - parities().begin());
  return settings;
}

std::string link_identity(const InstrumentConfig& instrument) {
  return is_serial(instrument) ? serial_choice(instrument).identity() : "tcp:" + tcp_address(instrument);
}

std::string link_object(const std::string& what, const InstrumentConfig& instrument) {
  return what + " '" + instrument.name + "' (" + (is_serial(instrument) ? serial_choice(instrument).text() : tcp_address(instrument)) + ")";
}

Link make_link(const InstrumentConfig& instrument, const std::string& object, Link::Settle settle) {
  if (is_serial(instrument))
    return {object, Link::AfterFailure::Settle,
            [choice = serial_choice(instrument), settings = serial_settings(instrument), object](Deadline) {
              return choice.open(settings, object);
            },
            std::move(settle)};
  // A name server is asked once: what is done later must not wait for one.
  return {object, Link::AfterFailure::Reopen,
          [host = instrument.config.at("host").get<std::string>(), port = instrument.config.at("port").get<int>(), object,
           address = std::string()](Deadline deadline) mutable {
            if (address.empty()) address = numeric_host(host, object, deadline);
            return open_tcp_stream(address, port, object, deadline);
          },
          std::move(settle)};
}

}  // namespace hilcop
