// SPDX-License-Identifier: Apache-2.0
#include "io/serial_selector.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/error.h"

namespace hilcop {
namespace {

bool fits(const SerialPort& port, const SerialSelector& selector) {
  const auto is = [](const auto& wanted, const auto& found) { return !wanted || *wanted == found; };
  if (selector.id && std::none_of(port.by_id.begin(), port.by_id.end(),
                                  [&](const auto& link) { return std::filesystem::path(link).filename() == *selector.id; }))
    return false;
  if (!port.usb) return selector.id && !selector.serial && !selector.path && !selector.vid_pid && !selector.interface;
  return is(selector.serial, port.usb->serial) && is(selector.path, port.usb->path) && is(selector.vid_pid, vid_pid(*port.usb)) &&
         is(selector.interface, port.usb_interface);
}

// What would tell these apart; all of them fit already.
std::string difference(const std::vector<SerialPort>& ports) {
  const auto differ = [&](const auto& value) {
    return std::any_of(ports.begin(), ports.end(), [&](const auto& port) { return value(port) != value(ports.front()); });
  };
  const auto serial_of = [](const SerialPort& port) { return port.usb ? port.usb->serial : ""; };
  const auto path_of = [](const SerialPort& port) { return port.usb ? port.usb->path : ""; };
  std::string keys;
  const auto add = [&](const char* key) { keys += (keys.empty() ? "" : ", ") + std::string(key); };
  if (differ(serial_of)) add("serial");
  if (differ(path_of)) add("path (of the socket it is plugged in)");
  if (differ([](const SerialPort& port) { return port.usb_interface; })) add("interface");
  return keys.empty() ? "give the port by its link in /dev/serial/by-path as `port:`" : "tell them apart by: " + keys;
}

std::vector<std::string> lines_of(const std::vector<SerialPort>& ports) {
  std::vector<std::string> lines;
  for (const auto& port : ports) lines.push_back(describe(port));
  if (lines.empty()) lines.emplace_back("this host has no serial port");
  return lines;
}

}  // namespace

std::string SerialSelector::text() const {
  std::string all;
  const auto add = [&](const char* key, const std::string& value) { all += (all.empty() ? "" : ", ") + std::string(key) + ": " + value; };
  if (serial) add("serial", *serial);
  if (path) add("path", *path);
  if (id) add("id", *id);
  if (vid_pid) add("vid_pid", *vid_pid);
  if (interface) add("interface", std::to_string(*interface));
  return "{" + all + "}";
}

SerialPort select_serial_port(const SerialSelector& selector, const std::string& object, const DeviceTree& tree) {
  const auto all = serial_ports(tree);
  std::vector<SerialPort> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const auto& port) { return fits(port, selector); });
  if (found.size() == 1) return found.front();
  const std::string what = "usb: " + selector.text() + " fits ";
  if (found.empty())
    throw Error(ErrorKind::NotFound, object, what + "no serial port of this host",
                "plug the adapter in, or choose one of those that are there", lines_of(all));
  throw Error(ErrorKind::Config, object, what + std::to_string(found.size()) + " serial ports", difference(found), lines_of(found));
}

std::unique_ptr<ByteStream> open_selected_serial_stream(const SerialSelector& selector, const SerialSettings& settings,
                                                        const std::string& object, const DeviceTree& tree) {
  const auto port = select_serial_port(selector, object, tree);
  std::string name = "serial adapter";
  if (port.usb) name += " " + vid_pid(*port.usb) + (port.usb->serial.empty() ? "" : " serial " + port.usb->serial);
  // An adapter without a serial number of its own is only known by its place.
  if (port.usb && (selector.path || port.usb->serial.empty() || port.twin)) name += " at " + port.usb->path;
  if (selector.interface || port.usb_interface != 0) name += " interface " + std::to_string(port.usb_interface);
  if (!port.usb && selector.id) name += " " + *selector.id;
  return open_serial_stream(port.node.path, settings, name);
}

Error with_serial_ports(const Error& error, const DeviceTree& tree) {
  auto context = error.context();
  for (auto& line : lines_of(serial_ports(tree))) context.push_back(std::move(line));
  return {error.kind(), error.object(), error.cause(), error.remedy(), context};
}

}  // namespace hilcop
