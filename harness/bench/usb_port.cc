// SPDX-License-Identifier: Apache-2.0
#include "bench/usb_port.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "io/bounded_call.h"
#include "io/usb.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr auto kPeriod = 20ms;
constexpr int kHub = 9;  // class code

json to_json(const UsbShown& shown, const std::string& how) {
  json functions = json::array();
  for (const auto& one : shown.functions)
    functions.push_back({{"configuration", one.configuration},
                         {"interface", one.interface},
                         {"alternate", one.alternate},
                         {"class", usb_class_name(one.class_code)},
                         {"subclass", one.subclass},
                         {"protocol", one.protocol}});
  return {{"path", shown.id.path},          {"vid", fmt::format("{:04x}", shown.id.vid)}, {"pid", fmt::format("{:04x}", shown.id.pid)},
          {"serial", shown.id.serial},      {"manufacturer", shown.id.manufacturer},      {"product", shown.id.product},
          {"speed_mbps", shown.speed_mbps}, {"interfaces", std::move(functions)},         {"seen_by", how}};
}

bool below(const std::string& path, const std::string& socket) {
  return !socket.empty() && (path == socket || path.starts_with(socket + "."));
}

// "1-1.2" and the path of the same socket on the other half of its hub, which the kernel knows.
std::string peer_of(const std::string& path) {
  for (const auto& device : usb_devices())
    for (const auto& port : device.ports) {
      const bool root = device.id.path.starts_with("usb");
      const auto socket =
          root ? std::to_string(device.id.bus) + "-" + std::to_string(port.number) : device.id.path + "." + std::to_string(port.number);
      const auto at = port.peer.rfind("-port");
      if (socket != path || at == std::string::npos) continue;
      const auto hub = port.peer.substr(0, at), number = port.peer.substr(at + 5);
      return hub.starts_with("usb") ? hub.substr(3) + "-" + number : hub + "." + number;
    }
  return "";
}

std::string function_text(const UsbFunction& one) {
  return fmt::format("interface {} (configuration {}, setting {}) of class {} / {:02x} / {:02x}", one.interface, one.configuration,
                     one.alternate, usb_class_name(one.class_code), one.subclass, one.protocol);
}

}  // namespace

std::vector<std::string> undeclared(const UsbShown& shown, const Board& board) {
  std::vector<std::string> found;
  if (!board.usb) return found;
  const auto what = described(shown.id);
  const auto same = [&](const BoardUsb::Device& one) { return one.vid == shown.id.vid && one.pid == shown.id.pid; };
  const auto declared = std::find_if(board.usb->expected.begin(), board.usb->expected.end(), same);
  if (declared == board.usb->expected.end()) found.push_back(what + " is not declared");
  for (const auto& one : shown.functions) {
    const auto& forbidden = board.usb->forbidden_classes;
    if (std::find(forbidden.begin(), forbidden.end(), one.class_code) != forbidden.end())
      found.push_back(what + " has " + function_text(one) + ", which is forbidden");
    else if (declared != board.usb->expected.end() &&
             std::none_of(declared->interfaces.begin(), declared->interfaces.end(), [&](const BoardUsb::Interface& known) {
               return known.class_code == one.class_code && (!known.subclass || *known.subclass == one.subclass) &&
                      (!known.protocol || *known.protocol == one.protocol);
             }))
      found.push_back(what + " has " + function_text(one) + ", which is not declared");
  }
  if (shown.functions.empty()) found.push_back(what + " shows no interface that could be judged");
  return found;
}

WatchedUsbPort::WatchedUsbPort(std::string dut, UsbSelector selector, const Board& board, std::function<void()> look, EventSink& sink)
    : dut_(std::move(dut)),
      selector_(std::move(selector)),
      socket_(selector_.path),
      board_(board),
      look_(std::move(look)),
      sink_(sink),
      traffic_("USB of dut '" + dut_ + "'") {
  if (!socket_.empty()) peer_ = peer_of(socket_);
}

// All at and below its socket, whatever it says it is. Without a path the socket is learned when the device is first seen.
bool WatchedUsbPort::is_of_dut(const UsbIdentity& id) const {
  if (id.path.starts_with("usb")) return false;
  return below(id.path, socket_) || below(id.path, peer_) || (selector_.path.empty() && selector_.matches(id));
}

// While its socket is not known a device that comes may be the DUT's in another guise (a boot loader's), but for one that was there before.
UsbOwners::Whose WatchedUsbPort::whose(const UsbIdentity& id, bool first) const {
  if (is_of_dut(id)) return UsbOwners::Whose::Dut;
  return socket_.empty() && !first && !id.path.starts_with("usb") ? UsbOwners::Whose::Unknown : UsbOwners::Whose::Other;
}

// Where the DUT is plugged in, also on the other half of a hub that came later.
void WatchedUsbPort::learn(const UsbDevice& device) {
  const auto socket = socket_, peer = peer_;
  if (selector_.path.empty() && selector_.matches(device.id)) socket_ = device.id.path;
  if (socket_ != socket || (!socket_.empty() && peer_.empty() && device.class_code == kHub)) peer_ = peer_of(socket_);
  if (socket_ != socket || peer_ != peer) traffic_.owners().judge_again([this](const auto& id, bool first) { return whose(id, first); });
}

void WatchedUsbPort::changed(const UsbChange& change) {
  const std::scoped_lock lock(mutex_);
  const auto& id = change.device.id;
  const auto key = std::pair(id.path, id.address);
  if (change.arrived) {
    learn(change.device);
    traffic_.owners().arrived(id, change.first, whose(id, change.first));
  } else {
    traffic_.owners().left(id);
  }
  if (change.arrived ? !is_of_dut(id) : !shown_.contains(key)) return;
  const UsbShown shown{id, change.device.speed_mbps, change.device.class_code, change.functions};
  auto data = to_json(shown, change.how);
  data["first"] = change.first;
  sink_.emit({change.at, real_clock().utc_now(), dut_ + "/usb", change.arrived ? "usb.arrived" : "usb.left", std::move(data)});
  if (!change.arrived) {
    shown_.erase(key);
    left_ = change.at;
    return;
  }
  traffic_.mark(UsbOwners::who_is(id));
  shown_[key] = shown;
  judge(shown, change.at);
}

void WatchedUsbPort::judge(const UsbShown& shown, SteadyTime at) {
  for (auto& reason : undeclared(shown, board_)) {
    sink_.emit({at, real_clock().utc_now(), dut_ + "/usb", "usb.unexpected", {{"path", shown.id.path}, {"reason", reason}}});
    unexpected_.push_back(std::move(reason));
  }
}

bool WatchedUsbPort::present() { return !devices().empty(); }

std::vector<UsbShown> WatchedUsbPort::devices() {
  look_();
  const std::scoped_lock lock(mutex_);
  std::vector<UsbShown> list;
  for (const auto& [key, shown] : shown_) list.push_back(shown);
  return list;
}

UsbShown WatchedUsbPort::device() {
  std::string others, socket, peer;
  auto list = devices();
  {
    const std::scoped_lock lock(mutex_);  // the watch may be learning another socket
    socket = socket_, peer = peer_;
  }
  for (auto& shown : list) {
    auto here = selector_;
    here.path.clear();  // may be at the peer
    if ((shown.id.path == socket || shown.id.path == peer) && here.matches(shown.id)) return std::move(shown);
    others += (others.empty() ? "" : ", ") + described(shown.id);
  }
  throw Error(ErrorKind::NotFound, object(), "shows no " + selector_.text() + (others.empty() ? "" : ", but " + others),
              "check that the device is on and what `usb:` says in lab-config");
}

bool WatchedUsbPort::wait_present(Deadline deadline) {
  while (!present()) {
    if (deadline.expired()) return false;
    wait_until(deadline.at_most(kPeriod));
  }
  return true;
}

bool WatchedUsbPort::wait_absent(Deadline deadline) {
  while (present()) {
    if (deadline.expired()) return false;
    wait_until(deadline.at_most(kPeriod));
  }
  return true;
}

void WatchedUsbPort::reset(Deadline deadline) {
  const auto shown = device();
  const auto target = find_usb_device({{}, {}, "", shown.id.path}, object());
  sink_.emit(make_event(dut_ + "/usb", "usb.reset", {{"path", shown.id.path}}));
  BoundedCalls(object()).run("reset", deadline, [target, name = object()] { UsbHandle::open(target, name)->reset(); });
}

void WatchedUsbPort::start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) {
  look_();  // whose is what
  traffic_.start(name, file, ring);
}

std::vector<std::string> WatchedUsbPort::unexpected() {
  look_();
  const std::scoped_lock lock(mutex_);
  return unexpected_;
}

std::optional<bool> WatchedUsbPort::gone_since(SteadyTime since, Deadline deadline) {
  if (!wait_absent(deadline)) return false;
  const std::scoped_lock lock(mutex_);
  return left_ && *left_ >= since ? std::optional(true) : std::nullopt;
}

}  // namespace hilcop
