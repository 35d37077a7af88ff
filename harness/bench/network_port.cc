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

// A worker that died and the one after it record one DUT of one run.
std::filesystem::path unused(const std::filesystem::path& dir, const std::string& dut) {
  for (int number = 1;; ++number) {
    auto file = (number == 1 ? dir : dir / std::to_string(number)) / (dut + ".pcapng");
    std::filesystem::create_directories(file.parent_path());
    if (!std::filesystem::exists(file) && ring_files(file).empty()) return file;
  }
}

// `interface`: empty for a socket that a cable is plugged into. A unix socket's name has 107 bytes: short, and of this process alone.
PortSetup port_for(const KeptNetworkOptions& options, const std::string& interface, int network, std::size_t number) {
  PortSetup port{options.dut, {}, interface, {}, options.ring};
  if (interface.empty()) port.cable = runtime_dir() / fmt::format("net-{}-{}-{}", ::getpid(), network, number);
  if (options.capture_dir.empty()) return port;
  port.capture = std::filesystem::absolute(unused(options.capture_dir, options.dut));
  return port;
}

NetworkSetup setup_for(const std::vector<NetworkMember>& members, Deadline deadline) {
  NetworkSetup setup;
  const int number = networks_of_this_process++;
  for (const auto& member : members) {
    setup.name += (setup.name.empty() ? "" : "+") + member.options.dut;
    const std::string interface = member.socket.endpoint(deadline).value("interface", "");
    setup.ports.push_back(port_for(member.options, interface, number, setup.ports.size()));
  }
  setup.bench = members.front().options.bench;
  setup.door = new_status_door(number);
  status_doors();  // removes what others left who were killed
  return setup;
}

json allowed_ways(const UplinkConfig& uplink) {
  auto ways = json::array();
  for (const auto& way : uplink.allow) ways.push_back({{"address", way.address}, {"port", way.port}, {"protocol", way.protocol}});
  return ways;
}

/// The process of a network, which all its ports have together.
class OpenNetwork {
 public:
  OpenNetwork(NetworkSetup setup, const std::filesystem::path& program, EventSink& sink, Deadline deadline)
      : source_(setup.name + "/network"), sink_(sink) {
    client_ = NetworkClient::start({std::move(setup), program, [this](const json& event) { told(event); }}, deadline);
    sink_.emit(make_event(source_, "network.open", to_json(client_->setup())));
  }
  NetworkClient& client() { return *client_; }
  bool is_shared() const { return client_->setup().ports.size() > 1; }

  /// Once; what it was then, and what went wrong, for each port that asks.
  const std::pair<json, std::optional<Error>>& close(Deadline deadline) {
    if (closed_) return *closed_;
    closed_.emplace(json::object(), std::nullopt);
    auto& [status, wrong] = *closed_;
    const auto attempt = [&wrong = wrong](const auto& action) {
      try {
        action();
      } catch (const Error& error) {
        if (!wrong) wrong = error;
      }
    };
    attempt([&status = status, this, deadline] {
      status = client_->ask("close", json::object(), deadline.at_most(deadline.remaining() / 2));
      for (const auto& port : status.contains("ports") ? status["ports"] : json::array({status}))
        for (const auto& [name, figures] : port.at("captures").items())
          if (!figures.at("failure").is_null()) throw Error::from_json(figures["failure"]);  // what the run rests on is not whole
    });
    attempt([this, deadline] { client_->close(deadline); });
    std::error_code ignored;
    std::filesystem::remove(client_->setup().door, ignored);  // of a network that was killed
    if (wrong) status["error"] = wrong->to_json();
    sink_.emit(make_event(source_, "network.close", status));
    return *closed_;
  }

 private:
  void told(const json& event) {
    sink_.emit({from_ns(event.at("steady_ns")), UtcTime(Nanoseconds(event.at("utc_ns").get<std::int64_t>())), source_,
                "network." + event.at("event").get<std::string>(), event.value("data", json::object())});
  }

  std::string source_;
  EventSink& sink_;
  std::unique_ptr<NetworkClient> client_;
  std::optional<std::pair<json, std::optional<Error>>> closed_;
};

class RunningPort final : public KeptNetwork {
 public:
  RunningPort(std::shared_ptr<OpenNetwork> network, std::size_t number, const NetworkMember& member, EventSink& sink, Deadline deadline)
      : network_(std::move(network)),
        port_(network_->client().setup().ports.at(number)),
        source_(port_.device + "/network"),
        ca_(member.options.ca),
        socket_(member.socket),
        sink_(sink) {
    if (member.options.uplink) open_uplink(*member.options.uplink, deadline);
    if (port_.interface.empty()) {
      set_link(true, deadline);
    } else {
      move_in(socket_, "network.link", deadline);
      client().ask("port.attach", {{"device", port_.device}}, deadline);
    }
  }
  ~RunningPort() override {
    try {
      close(Deadline::in(5s));
    } catch (const std::exception&) {
      return;  // a destructor has nobody to tell
    }
  }

  json ask(const std::string& what, const json& how, Deadline deadline) override {
    auto asked = how;
    if (network_->is_shared() && is_of_port(what)) asked["device"] = port_.device;
    auto answer = client().ask(what, asked, deadline);
    if (what == "status" && network_->is_shared()) answer = status_of_port(std::move(answer));
    return answer;
  }
  json change(const std::string& what, const json& how, Deadline deadline) override {
    auto result = ask(what, how, deadline);
    if (what == "dns.clear" || what == "dns.forget") name_allowed(deadline);  // what lab-config says holds whatever is asked later
    auto told = how;
    told.erase("ca_key_pem");         // whoever has it can speak for every host to a device that trusts it
    if (what == "intercept.answers")  // the device's token may be in it; and no mark has room for a large one
      for (auto& answer : told["answers"]) answer["body"] = fmt::format("{} bytes", answer.value("body", "").size());
    sink_.emit(make_event(source_, "network.change", {{"what", what}, {"how", told}, {"result", result}}));
    return result;
  }
  UniqueFd connect(const std::string& address, int port, Deadline deadline) override { return client().connect(address, port, deadline); }
  void set_link(bool up, Deadline deadline) override {
    if (!port_.interface.empty()) {
      const auto commanded = real_clock().now();
      ask("link", {{"up", up}}, deadline);
      return told_of_link("network.link", {commanded, real_clock().now(), {}, json::object()}, up);
    }
    told_of_link("network.link", socket_.set(up, up ? json{{"unix", port_.cable.string()}} : json::object(), deadline), up);
  }
  const std::optional<LabAuthority>& trusted_ca() const override { return ca_; }
  const std::filesystem::path& capture_file() const override { return port_.capture; }
  void mark(const std::string& text) noexcept override {
    if (!capture_file().empty()) client().tell("mark", {{"text", text}});
  }

  void close(Deadline deadline) override {
    if (std::exchange(closed_, true)) return;
    if (const auto& [status, wrong] = network_->close(deadline); wrong) throw Error(*wrong);
  }

 private:
  // The rest is of the network that all of its ports have together.
  static bool is_of_port(const std::string& what) {
    return what.starts_with("capture.") || what.starts_with("scan.") || what == "watch_ports.start" || what == "impair" || what == "cut" ||
           what == "link";
  }
  NetworkClient& client() { return network_->client(); }
  // As if it were alone there.
  json status_of_port(json status) const {
    status.update(status.at("ports").at(port_.device));
    json own = json::object();
    for (const auto& [mac, address] : status.at("services").at("leases").items())
      if (status.at("hosts").contains(mac)) own[mac] = address;
    status["services"]["leases"] = own;
    return status;
  }

  void told_of_link(const std::string& kind, const SwitchResult& result, bool up) {
    auto data = to_json(result);
    data["up"] = up;
    sink_.emit(make_event(source_, kind, std::move(data)));
  }

  // An interface of this host into the network, whose process is there until it is closed.
  void move_in(Lease& interface, const std::string& kind, Deadline deadline) {
    told_of_link(kind, interface.set(true, {{"network_pid", client().pid()}}, deadline), true);
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
    allowed_ = config.allow;
    name_allowed(deadline);
  }
  void name_allowed(Deadline deadline) {
    for (const auto& way : allowed_)
      if (!way.name.empty())
        ask("dns.rule", {{"name", way.name}, {"kind", "address"}, {"addresses", json::array({way.address})}}, deadline);
  }

  std::shared_ptr<OpenNetwork> network_;
  const PortSetup port_;
  std::string source_;
  std::optional<LabAuthority> ca_;
  std::vector<UplinkConfig::Allowed> allowed_;
  Lease& socket_;
  EventSink& sink_;
  bool closed_ = false;
};

}  // namespace

std::vector<std::unique_ptr<KeptNetwork>> open_network(const std::vector<NetworkMember>& members, EventSink& sink, Deadline deadline) {
  const auto network = std::make_shared<OpenNetwork>(setup_for(members, deadline), members.front().options.program, sink, deadline);
  std::vector<std::unique_ptr<KeptNetwork>> ports;
  for (const auto& member : members) ports.push_back(std::make_unique<RunningPort>(network, ports.size(), member, sink, deadline));
  return ports;
}

}  // namespace hilcop
