// SPDX-License-Identifier: Apache-2.0
#include "selftest/usb_bandwidth.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "io/serial_ports.h"
#include "selftest/power_effect.h"

namespace hilcop {
namespace {

// 19 bulk packets of 64 bytes in a frame of 1 ms: USB 2.0 table 5-9. Nothing real reaches it.
constexpr double kFullSpeedBytes = 1'216'000, kUsable = 0.8;
constexpr double kFullSpeed = 12;  // Mbit/s
constexpr int kHubClass = 9;

std::string hub_of(const std::string& path) {
  if (path.starts_with("usb")) return "";
  const auto dot = path.rfind('.');
  return dot != std::string::npos ? path.substr(0, dot) : "usb" + path.substr(0, path.find('-'));
}

// What an adapter shares its 12 Mbit/s with: the outermost full-speed device on the way to the host, or the high-speed hub above that
// translates for all of its ports. A root hub serves each of its ports alone.
std::string bus_of(const std::string& adapter, const std::map<std::string, UsbDevice>& devices) {
  std::string outermost = adapter;
  while (true) {
    const auto hub = devices.find(hub_of(outermost));
    if (hub == devices.end() || hub->first.starts_with("usb")) return outermost;
    if (hub->second.speed_mbps > kFullSpeed) return hub->first;
    outermost = hub->first;
  }
}

bool is_below(const std::string& path, const std::string& hub) { return path == hub || path.starts_with(hub + "."); }

struct Bus {
  double bytes = 0;
  std::vector<std::string> adapters;
  std::set<std::string> paths;
};

}  // namespace

std::vector<SelftestItem> check_usb_bandwidth(const BenchConfig& bench, DriverTable drivers, const DeviceTree& tree) {
  std::map<std::string, UsbDevice> devices;
  for (auto& device : usb_devices(tree)) devices[device.id.path] = device;
  std::map<std::string, Bus> buses;
  const auto ports = serial_ports(tree);
  for (const auto& [name, instrument] : bench.instruments) {
    const Driver* driver = find_driver(drivers, instrument.driver);
    const auto identity = driver->identity(instrument);
    const auto byte_time = std::chrono::duration<double>(byte_time_of(instrument)).count();
    const auto port = std::find_if(ports.begin(), ports.end(), [&](const SerialPort& one) {
      return std::filesystem::path(identity).filename() == one.name && identity.starts_with('/');
    });
    if (port == ports.end() || !port->usb || byte_time <= 0) continue;
    const auto device = devices.find(port->usb->path);
    if (device == devices.end() || device->second.speed_mbps > kFullSpeed) continue;
    auto& bus = buses[bus_of(port->usb->path, devices)];
    bus.bytes += 1 / byte_time;
    bus.adapters.push_back(name);
    bus.paths.insert(port->usb->path);
  }
  std::vector<SelftestItem> items;
  for (const auto& entry : buses) {
    const auto& path = entry.first;
    const auto& bus = entry.second;
    const auto others = std::count_if(devices.begin(), devices.end(), [&](const auto& other) {
      return is_below(other.first, path) && !bus.paths.contains(other.first) && other.second.speed_mbps <= kFullSpeed &&
             other.second.class_code != kHubClass;
    });
    const double share = bus.bytes / kFullSpeedBytes;
    std::string text = fmt::format("{} at full rate want {:.0f} % of one full-speed bus", fmt::join(bus.adapters, ", "), share * 100);
    if (others > 0) text += fmt::format(", which {} other device{} share{}", others, others == 1 ? "" : "s", others == 1 ? "s" : "");
    const bool fits = share <= kUsable;
    if (!fits) text += ": bytes may be lost when all speak at once; spread them over more hubs";
    items.push_back({"hub bandwidth", "", "USB " + path, fits ? SelftestGrade::Pass : SelftestGrade::Warning, text});
  }
  if (items.empty())
    items.push_back({"hub bandwidth", "", "USB", SelftestGrade::Pass, "no serial adapters of this bench share a full-speed bus"});
  return items;
}

}  // namespace hilcop
