// SPDX-License-Identifier: Apache-2.0
#include "bench/network_port.h"

#include <unistd.h>

#include <atomic>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/paths.h"
#include "network/process/status_door.h"

namespace hilcop {

using nlohmann::json;

namespace {

std::atomic<int> networks_of_this_process{0};

// `interface`: empty for a socket that a cable is plugged into.
NetworkSetup setup_for(const KeptNetworkOptions& options, const std::string& interface) {
  NetworkSetup setup;
  setup.name = options.dut;
  PortSetup port{options.dut, {}, interface, {}, options.ring};
  // A unix socket's name has 107 bytes: short, and of this process alone.
  const int number = networks_of_this_process++;
  if (interface.empty()) port.cable = runtime_dir() / fmt::format("net-{}-{}", ::getpid(), number);
  setup.bench = options.bench;
  setup.door = new_status_door(number);
  status_doors();  // removes what others left who were killed
  if (!options.record_dir.empty()) {
    std::filesystem::create_directories(options.record_dir / "network");
    port.capture = std::filesystem::absolute(options.record_dir / "network" / (options.dut + ".pcapng"));
  }
  setup.ports = {std::move(port)};
  return setup;
}

json allowed_ways(const UplinkConfig& uplink) {
  auto ways = json::array();
  for (const auto& way : uplink.allow) ways.push_back({{"address", way.address}, {"port", way.port}, {"protocol", way.protocol}});
  return ways;
}

class RunningPort final : public KeptNetwork {
 public:
  RunningPort(const KeptNetworkOptions& options, Lease& socket, EventSink& sink, Deadline deadline)
      : source_(options.dut + "/network"), ca_(options.ca), socket_(socket), sink_(sink) {
    interface_ = socket.endpoint(deadline).value("interface", "");
    network_ =
        NetworkClient::start({setup_for(options, interface_), options.program, [this](const json& event) { told(event); }}, deadline);
    sink_.emit(make_event(source_, "network.open", to_json(network_->setup())));
    if (options.uplink) open_uplink(*options.uplink, deadline);
    if (interface_.empty()) {
      set_link(true, deadline);
    } else {
      move_in(socket_, "network.link", deadline);
      network_->ask("port.attach", {{"device", options.dut}}, deadline);
    }
  }
  ~RunningPort() override {
    try {
      close(Deadline::in(5s));
    } catch (const std::exception&) {
      return;  // a destructor has nobody to tell
    }
  }

  json ask(const std::string& what, const json& how, Deadline deadline) override { return network_->ask(what, how, deadline); }
  json change(const std::string& what, const json& how, Deadline deadline) override {
    auto result = network_->ask(what, how, deadline);
    auto told = how;
    told.erase("ca_key_pem");  // whoever has it can speak for every host to a device that trusts it
    sink_.emit(make_event(source_, "network.change", {{"what", what}, {"how", told}, {"result", result}}));
    return result;
  }
  UniqueFd connect(const std::string& address, int port, Deadline deadline) override { return network_->connect(address, port, deadline); }
  void set_link(bool up, Deadline deadline) override {
    if (!interface_.empty()) {
      const auto commanded = real_clock().now();
      network_->ask("link", {{"up", up}}, deadline);
      return told_of_link("network.link", {commanded, real_clock().now(), {}, json::object()}, up);
    }
    told_of_link("network.link", socket_.set(up, up ? json{{"unix", port().cable.string()}} : json::object(), deadline), up);
  }
  const std::optional<LabAuthority>& trusted_ca() const override { return ca_; }
  const std::filesystem::path& capture_file() const override { return port().capture; }
  void mark(const std::string& text) noexcept override {
    if (!capture_file().empty()) network_->tell("mark", {{"text", text}});
  }

  void close(Deadline deadline) override {
    if (std::exchange(closed_, true)) return;
    std::optional<Error> wrong;
    json status = json::object();
    const auto attempt = [&](const auto& action) {
      try {
        action();
      } catch (const Error& error) {
        if (!wrong) wrong = error;
      }
    };
    attempt([&] {
      status = network_->ask("close", json::object(), deadline.at_most(deadline.remaining() / 2));
      for (const auto& [name, figures] : status.at("captures").items())
        if (!figures.at("failure").is_null()) throw Error::from_json(figures["failure"]);  // what the run rests on is not whole
    });
    attempt([&] { network_->close(deadline); });
    std::error_code ignored;
    std::filesystem::remove(network_->setup().door, ignored);  // of a network that was killed
    if (wrong) status["error"] = wrong->to_json();
    sink_.emit(make_event(source_, "network.close", status));
    if (wrong) throw Error(*wrong);
  }

 private:
  const PortSetup& port() const { return network_->setup().ports.front(); }

  void told_of_link(const std::string& kind, const SwitchResult& result, bool up) {
    auto data = to_json(result);
    data["up"] = up;
    sink_.emit(make_event(source_, kind, std::move(data)));
  }

  // An interface of this host into the network, whose process is there until it is closed.
  void move_in(Lease& interface, const std::string& kind, Deadline deadline) {
    told_of_link(kind, interface.set(true, {{"network_pid", network_->pid()}}, deadline), true);
  }

  void open_uplink(const Uplink& uplink, Deadline deadline) {
    const std::string interface = uplink.interface.endpoint(deadline).value("interface", "");
    if (interface.empty())
      throw Error(ErrorKind::Config, "uplink of " + source_, "is no interface of this host",
                  "give it an instrument of driver network-interface");
    move_in(uplink.interface, "network.uplink", deadline);
    const auto& config = uplink.config;
    change("uplink.attach",
           {{"interface", interface}, {"address", config.address}, {"gateway", config.gateway}, {"allow", allowed_ways(config)}}, deadline);
    for (const auto& way : config.allow)
      if (!way.name.empty())
        change("dns.rule", {{"name", way.name}, {"kind", "address"}, {"addresses", json::array({way.address})}}, deadline);
  }

  void told(const json& event) {
    sink_.emit({from_ns(event.at("steady_ns")), UtcTime(Nanoseconds(event.at("utc_ns").get<std::int64_t>())), source_,
                "network." + event.at("event").get<std::string>(), event.value("data", json::object())});
  }

  std::string source_, interface_;  // the latter: that the device hangs on; empty: it has a cable
  std::optional<LabAuthority> ca_;
  Lease& socket_;
  EventSink& sink_;
  std::unique_ptr<NetworkClient> network_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<KeptNetwork> open_network(const KeptNetworkOptions& options, Lease& socket, EventSink& sink, Deadline deadline) {
  return std::make_unique<RunningPort>(options, socket, sink, deadline);
}

}  // namespace hilcop
