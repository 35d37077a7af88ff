// SPDX-License-Identifier: Apache-2.0
#include "cli/discovery.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace hilcop {
namespace {

using nlohmann::ordered_json;

template <typename... Actions>
struct Overloaded : Actions... {
  using Actions::operator()...;
};
template <typename... Actions>
Overloaded(Actions...) -> Overloaded<Actions...>;

std::string words(const UsbIdentity& id) {
  std::string text = vid_pid(id);
  for (const auto& word : {id.manufacturer, id.product}) text += word.empty() ? "" : " " + word;
  return text + (id.serial.empty() ? "" : ", serial number " + id.serial) + ", USB path " + id.path;
}

std::string words(const UsbDevice& device) {
  std::string text = words(device.id) + fmt::format(", {:g} Mbit/s", device.speed_mbps);
  if (!device.ports.empty()) {
    const auto switched = std::count_if(device.ports.begin(), device.ports.end(), [](const auto& port) { return !port.disable.empty(); });
    text += fmt::format(", a hub with {} ports, {} of them with `disable`", device.ports.size(), switched);
  }
  return text;
}

std::string words(const NetworkInterface& one) {
  std::string text = one.name + ": " + (one.mac.empty() ? "no MAC" : one.mac) + (one.driver.empty() ? "" : ", driver " + one.driver);
  if (one.usb) text += ", " + words(*one.usb);
  text += !one.up ? ", down" : one.carrier.value_or(true) ? ", up" : ", up, nothing plugged in";
  for (const auto& address : one.addresses) text += ", " + address;
  return text;
}

ordered_json usb_json(const UsbIdentity& id) {
  return {{"vid_pid", vid_pid(id)}, {"serial", id.serial},  {"manufacturer", id.manufacturer}, {"product", id.product}, {"path", id.path},
          {"bus", id.bus},          {"address", id.address}};
}

ordered_json usb_json(const std::optional<UsbIdentity>& id) { return id ? usb_json(*id) : ordered_json(); }

void add(ordered_json& value, const DeviceNode& node) {
  value["node"] = node.path.string();
  value["accessible"] = node.accessible;
  value["problem"] = node.problem;
  value["remedy"] = node.remedy;
}

ordered_json device_json(const SerialPort& port) {
  ordered_json value{{"name", port.name}};
  add(value, port.node);
  value["by_id"] = port.by_id;
  value["by_path"] = port.by_path;
  value["driver"] = port.driver;
  value["usb"] = usb_json(port.usb);
  if (port.usb) value["usb"]["interface"] = port.usb_interface;
  value["host_console"] = port.host_console;
  value["open_by"] = port.open_by;
  return value;
}

ordered_json device_json(const UsbDevice& device) {
  ordered_json value = usb_json(device.id);
  add(value, device.node);
  value["speed_mbps"] = device.speed_mbps;
  value["class"] = device.class_code;
  value["interfaces"] = ordered_json::array();
  for (const auto& one : device.interfaces)
    value["interfaces"].push_back({{"number", one.number},
                                   {"class", one.class_code},
                                   {"subclass", one.subclass},
                                   {"protocol", one.protocol},
                                   {"driver", one.driver}});
  value["ports"] = ordered_json::array();
  for (const auto& port : device.ports)
    value["ports"].push_back({{"number", port.number},
                              {"disable", port.disable.string()},
                              {"disable_writable", port.disable_writable},
                              {"connect_type", port.connect_type},
                              {"peer", port.peer},
                              {"device", port.device}});
  return value;
}

ordered_json device_json(const GpioChip& chip) {
  ordered_json value{{"name", chip.name}};
  add(value, chip.node);
  value["driver"] = chip.driver;
  value["usb"] = usb_json(chip.usb);
  return value;
}

ordered_json device_json(const NetworkInterface& one) {
  return {{"name", one.name},
          {"mac", one.mac},
          {"driver", one.driver},
          {"hardware", one.hardware},
          {"wireless", one.wireless},
          {"usb", usb_json(one.usb)},
          {"up", one.up},
          {"carrier", one.carrier ? ordered_json(*one.carrier) : ordered_json()},
          {"addresses", one.addresses}};
}

// The host's own console is nobody's instrument until somebody says so.
bool is_settled(const FoundDevice& device, const std::vector<Proposal>& proposals) {
  const auto* port = std::get_if<SerialPort>(&device);
  if (proposals.empty() || (port != nullptr && port->host_console)) return false;
  return proposals.front().object.sure || (proposals.size() == 1 && port != nullptr);
}

void number_names(std::vector<Discovered>& found) {
  std::map<std::string, int> total, given;
  for (const auto& one : found)
    for (const auto& proposal : one.proposals) ++total[proposal.object.name];
  for (auto& one : found)
    for (auto& proposal : one.proposals)
      if (total[proposal.object.name] > 1) proposal.object.name += "-" + std::to_string(++given[proposal.object.name]);
}

InstrumentConfig complete(const Proposal& proposal, const Driver& driver) {
  InstrumentConfig config{proposal.object.name, proposal.driver, nlohmann::json(proposal.object.config)};
  for (const auto& key : driver.keys)
    if (!config.config.contains(key.name)) config.config[key.name] = key.fallback;
  return config;
}

}  // namespace

std::vector<Discovered> discover(const DeviceTree& tree, DriverTable drivers) {
  std::vector<Discovered> found;
  for (auto& device : found_devices(tree)) {
    Discovered one{std::move(device), {}, false};
    for (const auto* driver : drivers)
      if (driver->recognise)
        for (auto& object : driver->recognise(one.device)) one.proposals.push_back({driver->name, std::move(object)});
    std::stable_sort(one.proposals.begin(), one.proposals.end(),
                     [](const Proposal& a, const Proposal& b) { return a.object.sure && !b.object.sure; });
    one.settled = is_settled(one.device, one.proposals);
    found.push_back(std::move(one));
  }
  number_names(found);
  return found;
}

std::string describe(const FoundDevice& device) {
  return std::visit(Overloaded{[](const SerialPort& port) { return describe(port); },
                               [](const GpioChip& chip) {
                                 return chip.node.path.string() + ": " + (chip.usb ? words(*chip.usb) + ", " : "") + "driver " +
                                        (chip.driver.empty() ? "unknown" : chip.driver);
                               },
                               [](const auto& other) { return words(other); }},
                    device);
}

const DeviceNode* node_of(const FoundDevice& device) {
  return std::visit(Overloaded{[](const NetworkInterface&) -> const DeviceNode* { return nullptr; },
                               [](const auto& other) -> const DeviceNode* { return &other.node; }},
                    device);
}

std::string kind_of(const FoundDevice& device) {
  static const char* const kKinds[] = {"serial_ports", "usb_devices", "gpio_chips", "network_interfaces"};
  static_assert(std::size(kKinds) == std::variant_size_v<FoundDevice>);
  return kKinds[device.index()];
}

ordered_json to_json(const Discovered& one) {
  ordered_json value = std::visit([](const auto& device) { return device_json(device); }, one.device);
  value["objects"] = ordered_json::array();
  for (const auto& proposal : one.proposals)
    value["objects"].push_back({{"name", proposal.object.name},
                                {"driver", proposal.driver},
                                {"config", proposal.object.config},
                                {"sure", proposal.object.sure},
                                {"note", proposal.object.note}});
  return value;
}

Presence presence_of(const InstrumentConfig& instrument, const std::vector<Discovered>& found, DriverTable drivers) {
  const Driver& driver = *find_driver(drivers, instrument.driver);
  if (!driver.recognise) return Presence::NotLookedFor;
  const auto identity = driver.identity(instrument);
  bool of_its_kind = false;
  for (const auto& one : found)
    for (const auto& proposal : one.proposals) {
      if (proposal.driver != driver.name) continue;
      if (driver.identity(complete(proposal, driver)) == identity) return Presence::There;
      of_its_kind = of_its_kind || proposal.object.sure;
    }
  return of_its_kind ? Presence::Perhaps : Presence::Missing;
}

std::string to_string(Presence presence) {
  switch (presence) {
    case Presence::There:
      return "there";
    case Presence::Perhaps:
      return "perhaps";
    case Presence::Missing:
      return "missing";
    case Presence::NotLookedFor:
      return "not looked for";
  }
  return "not looked for";
}

}  // namespace hilcop
