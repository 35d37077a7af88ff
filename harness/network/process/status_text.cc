// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "network/process/event_text.h"

namespace hilcop {

using nlohmann::json;

namespace {

std::string two_columns(const std::string& what, const std::string& text) { return fmt::format("  {:<13} {}\n", what, text); }

std::uint64_t count_in(const json& counts, const char* key) { return counts.value(key, std::uint64_t{0}); }

// What there was none of is left out but for what always says something.
std::string counted(const json& counts, std::initializer_list<std::pair<const char*, const char*>> kinds) {
  std::string text;
  bool first = true;
  for (const auto& [key, word] : kinds) {
    const auto n = count_in(counts, key);
    if (n != 0 || first) text += fmt::format("{}{} {}", first ? "" : ", ", n, word);
    first = false;
  }
  return text;
}

std::string wire_text(const json& counts) {
  return counted(counts, {{"arrived", "frames"},
                          {"lost", "lost on purpose"},
                          {"duplicated", "doubled"},
                          {"corrupted", "corrupted"},
                          {"reordered", "reordered"},
                          {"overflowed", "over the queue"},
                          {"cut", "while it was cut"},
                          {"not_kept", "DROPPED by this host"},
                          {"not_taken", "NOT TAKEN by the far end"}});
}

std::string capture_text(const json& figures) {
  auto text = fmt::format("{} packets, {} bytes, {} dropped", count_in(figures, "packets"), count_in(figures, "bytes"),
                          count_in(figures, "dropped"));
  if (const auto failure = figures.value("failure", json()); !failure.is_null())
    text += std::string("; FAILED: ") + Error::from_json(failure).what();
  return text;
}

// `device`: of a network that several share.
std::string port_text(const std::string& device, const json& port) {
  const auto of = device.empty() ? "" : " of " + device;
  const auto interface = port.value("interface", json());
  const auto where = interface.is_string() ? " (" + interface.get<std::string>() + ")" : "";
  std::string text = two_columns("cable" + of, (port.value("plugged", false) ? "plugged in" : "not plugged in") + where);
  const auto hosts = port.value("hosts", json::object());
  for (const auto& [mac, addresses] : hosts.items())
    text += two_columns(
        "host" + of, mac + (addresses.empty() ? "" : ": " + fmt::format("{}", fmt::join(addresses.get<std::vector<std::string>>(), ", "))));
  text += two_columns("from device" + of, wire_text(port.at("from_device")));
  text += two_columns("to device" + of, wire_text(port.at("to_device")));
  if (const auto n = count_in(port, "port_queue_dropped"); n != 0) text += two_columns("port" + of, fmt::format("{} frames DROPPED", n));
  for (const auto& [name, figures] : port.at("captures").items()) text += two_columns("capture " + name + of, capture_text(figures));
  return text;
}

std::string filter_text(const json& filter) {
  if (!filter.value("failure", json()).is_null()) return "none: " + std::string(Error::from_json(filter.at("failure")).what());
  return counted(filter, {{"forward_dropped", "packets held back from the lab's network"},
                          {"forwarded", "let through to it"},
                          {"caught", "connections to other ports taken"},
                          {"dead_host", "to or from dead hosts"},
                          {"dead_internet", "to or from the dead internet"},
                          {"uplink_refused", "from the lab's network refused"},
                          {"uplink_flood", "connections beyond 512 at once refused"}});
}

}  // namespace

std::string network_status_text(const json& status) {
  const auto& services = status.at("services");
  std::string text = two_columns("gateway", status.value("address", "") + ", " + status.value("address6", ""));
  for (const auto& [mac, address] : services.at("leases").items()) text += two_columns("lease", address.get<std::string>() + " of " + mac);
  if (services.at("leases").empty()) text += two_columns("lease", "none");
  text += two_columns("DHCP", counted(services.at("dhcp"),
                                      {{"received", "messages"}, {"replies", "answers"}, {"malformed", "malformed"}, {"lost", "LOST"}}));
  text += two_columns("DNS", counted(services.at("dns"), {{"queries", "questions"},
                                                          {"names", "names"},
                                                          {"answered", "answered"},
                                                          {"silent", "left without an answer"},
                                                          {"malformed", "malformed"},
                                                          {"failed", "FAILED"}}));
  text += two_columns("NTP", counted(services.at("ntp"), {{"requests", "questions"}, {"answered", "answered"}}));
  const auto interception = status.value("interception", json());
  text += two_columns(
      "TLS",
      interception.is_null()
          ? "not answered"
          : counted(interception,
                    {{"accepted", "connections"}, {"ended", "ended"}, {"turned_away", "TURNED AWAY"}, {"accept_failures", "FAILED"}}));
  if (status.contains("filter")) text += two_columns("filter", filter_text(status.at("filter")));
  if (const auto ports = status.value("ports", json()); ports.is_object())
    for (const auto& [device, port] : ports.items()) text += port_text(device, port);
  else
    text += port_text("", status);
  for (const auto& clash : status.value("clashes", json::array()))
    text += two_columns("CLASH", clash.at("mac").get<std::string>() + " says that " + clash.at("address").get<std::string>() + " is his");
  if (const auto n = count_in(status, "events_lost"); n != 0) text += two_columns("events", fmt::format("{} LOST", n));
  for (const auto& failure : services.at("failures")) text += two_columns("FAILURE", Error::from_json(failure).what());
  return text;
}

}  // namespace hilcop
