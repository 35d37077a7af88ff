// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fakes/places.h"
#include "fixtures/catalog.h"
#include "interop/isolated_network.h"
#include "network/process/client.h"

namespace hilcop {

/// A bench network whose device is a host of its own, Linux's, behind an interface of this host: "bench" here, "dut" there.
class RealInterface : public IsolatedNetwork {
 protected:
  static constexpr Nanoseconds kLong = 20s;

  static std::unique_ptr<Instrument> interface(const std::string& name, const std::string& mac = "") {
    const auto* driver = find_driver(all_drivers(), "network-interface");
    return driver->open({"lan", driver->name, {{"interface", name}, {"mac", mac}}}, {});
  }
  void start_network(const std::string& capture = "") {
    NetworkClient::Options options;
    options.program = build_dir() / "tests/network/process/network_program";
    options.setup.name = "device";
    options.setup.ports = {{"device", {}, "bench", {}}};
    if (!capture.empty()) options.setup.ports[0].capture = dir_ / capture;
    options.on_event = [this](const nlohmann::json& event) {
      const std::scoped_lock lock(events_mutex_);
      events_.push_back(event);
    };
    network_ = NetworkClient::start(std::move(options), Deadline::in(kLong));
  }
  void move_in() {
    lan_ = interface("bench");
    lan_->set("port", true, {{"network_pid", network_->pid()}}, Deadline::in(kLong));
    ask("port.attach", {{"device", "device"}});
    until("something is plugged in", [&] { return ask("status").at("plugged") == true; });
  }
  /// The device has its address by hand.
  void open(const std::string& capture = "") {
    start_network(capture);
    move_in();
    dut({"ethtool", "-K", "dut", "tx", "off"});  // a real one's checksums are on the wire
    dut({"ip", "address", "add", "10.77.0.50/24", "dev", "dut"});
    dut({"ip", "route", "add", "default", "via", "10.77.0.1"});
  }
  nlohmann::json ask(const std::string& what, const nlohmann::json& how = nlohmann::json::object()) const {
    return network_->ask(what, how, Deadline::in(kLong));
  }
  std::uint64_t packets(const char* rule) const { return ask("status").at("filter").at(rule).get<std::uint64_t>(); }
  std::vector<nlohmann::json> events(const std::string& kind) {
    const std::scoped_lock lock(events_mutex_);
    std::vector<nlohmann::json> found;
    for (const auto& event : events_)
      if (event.at("event") == kind) found.push_back(event.at("data"));
    return found;
  }
  /// What a program prints on the device, however it ends.
  std::string try_on_dut(const std::vector<std::string>& words) const {
    ProcessOptions options;
    options.program = "nsenter";
    options.arguments = in_dut(words);
    options.capture_output = true;
    return run_process(options, Deadline::in(30s)).output;
  }
  /// Whether the device gets a TCP connection there within so many seconds.
  bool connects(const std::string& address, int port, int seconds = 4) const {
    const auto said = try_on_dut(
        {"socat", "-u", "OPEN:/dev/null", "TCP:" + address + ":" + std::to_string(port) + ",connect-timeout=" + std::to_string(seconds)});
    return said.empty();
  }
  bool pings(const std::string& address) const {
    return try_on_dut({"busybox", "ping", "-c", "1", "-W", "4", address}).find(" 0% packet loss") != std::string::npos;
  }

  std::mutex events_mutex_;
  std::vector<nlohmann::json> events_;
  std::unique_ptr<NetworkClient> network_;  // behind what its events go to
  std::unique_ptr<Instrument> lan_;
};

}  // namespace hilcop
