// SPDX-License-Identifier: Apache-2.0
#include "keeper/link_keys.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "io/host_address.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;

// Not a constant: the drivers' tables are made before those of this file would be.
const std::vector<std::string>& parities() {
  static const std::vector<std::string> names{"none", "odd", "even"};
  return names;
}

// Where the path of its serial port stands: `serial`, or `port` for an instrument that nothing else can reach.
std::string serial_port(const InstrumentConfig& instrument) {
  return instrument.config.at(instrument.config.contains("serial") ? "serial" : "port");
}

std::string tcp_address(const InstrumentConfig& instrument) {
  return instrument.config.at("host").get<std::string>() + ":" + std::to_string(instrument.config.at("port").get<int>());
}

}  // namespace

std::vector<KeySpec> serial_link_keys(const std::string& name, bool required, int baud) {
  return {{.name = name,
           .type = Type::String,
           .description = "its serial port: /dev/ttyUSB0, or a link such as /dev/serial/by-id/...",
           .required = required},
          {.name = "baud", .type = Type::Integer, .description = "bits per second", .fallback = baud, .min = 50, .max = 12'000'000},
          {.name = "parity", .type = Type::String, .description = "of a byte", .fallback = "none", .choices = parities()}};
}

std::vector<KeySpec> link_keys(int tcp_port, int baud) {
  std::vector<KeySpec> keys{
      {.name = "host", .type = Type::String, .description = "its address; or give `serial`"},
      {.name = "port", .type = Type::Integer, .description = "TCP port", .fallback = tcp_port, .min = 1, .max = 65535}};
  const auto serial = serial_link_keys("serial", false, baud);
  keys.insert(keys.end(), serial.begin(), serial.end());
  return keys;
}

bool is_serial(const InstrumentConfig& instrument) { return !instrument.config.contains("host") || instrument.config.at("host").is_null(); }

std::string link_objection(const InstrumentConfig& instrument) {
  const bool host = !instrument.config.at("host").is_null(), serial = !instrument.config.at("serial").is_null();
  if (host == serial) return host ? "both 'host' and 'serial' are given: keep the one by which it is reached" : "give 'host' or 'serial'";
  return "";
}

std::string canonical_port(const std::string& port) {
  std::error_code error;
  const auto target = std::filesystem::canonical(port, error);
  return error ? port : target.string();
}

SerialSettings serial_settings(const InstrumentConfig& instrument) {
  SerialSettings settings;
  settings.baud = instrument.config.at("baud");
  const auto parity = std::find(parities().begin(), parities().end(), instrument.config.at("parity").get<std::string>());
  settings.parity = static_cast<Parity>(parity - parities().begin());
  return settings;
}

std::string link_identity(const InstrumentConfig& instrument) {
  return is_serial(instrument) ? canonical_port(serial_port(instrument)) : "tcp:" + tcp_address(instrument);
}

std::string link_object(const std::string& what, const InstrumentConfig& instrument) {
  return what + " '" + instrument.name + "' (" + (is_serial(instrument) ? serial_port(instrument) : tcp_address(instrument)) + ")";
}

Link make_link(const InstrumentConfig& instrument, const std::string& object, Link::Settle settle) {
  if (is_serial(instrument))
    return {
        object, Link::AfterFailure::Settle,
        [port = serial_port(instrument), settings = serial_settings(instrument)](Deadline) { return open_serial_stream(port, settings); },
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
