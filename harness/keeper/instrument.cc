// SPDX-License-Identifier: Apache-2.0
#include "keeper/instrument.h"

#include "base/error.h"

namespace hilcop {

nlohmann::json Instrument::endpoint(const std::string& channel) {
  throw Error(ErrorKind::Unsupported, "channel '" + channel + "'", "offers no byte stream", "choose a channel of kind console");
}

void Instrument::arm(const std::string& channel, const nlohmann::json&, Deadline) {
  throw Error(ErrorKind::Unsupported, "channel '" + channel + "'", "this instrument sees no event that could trigger a cut",
              "cut by time, or use a virtual board");
}

nlohmann::json Instrument::report(const std::string&, Deadline) { return nlohmann::json::object(); }

Reading Instrument::measure(const std::string& channel, Deadline) {
  throw Error(ErrorKind::Unsupported, "channel '" + channel + "'", "measures nothing", "choose a channel of kind meter");
}

nlohmann::json Instrument::adjust(const std::string& channel, const nlohmann::json&, Deadline) {
  throw Error(ErrorKind::Unsupported, "channel '" + channel + "'", "has no voltage or current to set", "use a supply that has");
}

nlohmann::json to_json(const Reading& reading) { return {{"value", reading.value}, {"unit", reading.unit}, {"at_ns", to_ns(reading.at)}}; }

Reading reading_from_json(const nlohmann::json& value) {
  return {value.at("value"), value.at("unit"), from_ns(value.at("at_ns").get<std::int64_t>())};
}

nlohmann::json to_json(const SwitchResult& result) {
  nlohmann::json value{
      {"commanded_ns", to_ns(result.commanded)}, {"acknowledged_ns", to_ns(result.acknowledged)}, {"details", result.details}};
  value["read_back"] = result.read_back ? nlohmann::json(*result.read_back) : nlohmann::json();
  return value;
}

SwitchResult switch_result_from_json(const nlohmann::json& value) {
  SwitchResult result;
  result.commanded = from_ns(value.at("commanded_ns").get<std::int64_t>());
  result.acknowledged = from_ns(value.at("acknowledged_ns").get<std::int64_t>());
  if (value.contains("read_back") && value["read_back"].is_boolean()) result.read_back = value["read_back"].get<bool>();
  result.details = value.value("details", nlohmann::json::object());
  return result;
}

std::string to_string(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::Power:
      return "power";
    case ChannelKind::Output:
      return "output";
    case ChannelKind::Input:
      return "input";
    case ChannelKind::Console:
      return "console";
    case ChannelKind::Meter:
      return "meter";
    case ChannelKind::Network:
      return "network";
  }
  return "output";
}

}  // namespace hilcop
