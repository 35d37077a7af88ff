// SPDX-License-Identifier: Apache-2.0
#include "network/process/bench_network.h"

#include <fcntl.h>

#include <utility>

#include "base/error.h"
#include "network/port/tap.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr const char* kGatewayMac = "02:77:00:00:00:01";
constexpr std::chrono::milliseconds kNeighbourRetry{100};  // a device that boots is met as soon
constexpr unsigned kGatewayQueue = 10'000;                 // frames: a tenth of a second at 100,000 a second

}  // namespace

BenchNetwork::BenchNetwork(const NetworkSetup& setup, Outbox& outbox) : setup_(setup), outbox_(outbox), hosts_(setup.ports.size() > 1) {
  make_gateway();
  filter_ =
      std::make_unique<GatewayFilter>(kGateway, links_, routes_, [this](const std::string& name) { return services_->addresses_of(name); });
  clashes_ = std::make_unique<AddressClashes>(kGateway, kGatewayMac, outbox_);
  for (const auto& address : {setup_.address, setup_.address6}) add_gateway_address(address);
  links_.set_neighbour_retry(kGateway, kNeighbourRetry);
  routes_.take_all_from(kGateway);
  services_ = std::make_unique<GatewayServices>(
      kGateway, setup_.address, setup_.address6, [this](const std::string& address) { add_gateway_address(address); }, outbox_);
  hosts_.add_subnet(link_local_of(kGatewayMac) + "/64");
  hosts_.set_leases([services = services_.get()] { return services->leases(); });
  scanning_ = std::make_shared<Scanning>(kGateway, hosts_, outbox_);
  for (const auto& port : setup_.ports)
    if (port.interface.empty()) attach(port.device);
}

BenchNetwork::~BenchNetwork() = default;

// The end of one wire, or a switch of the ends of several.
void BenchNetwork::make_gateway() {
  if (setup_.ports.size() == 1) {
    free_wires_[setup_.ports.front().device] = make_tap(kGateway);
  } else {
    links_.keep_bridged_from_filters();
    links_.add_bridge(kGateway);
    int number = 0;
    for (const auto& port : setup_.ports) {
      const auto name = "wire" + std::to_string(number++);
      free_wires_[port.device] = make_tap(name);
      links_.set_silent(name);
      links_.set_queue_length(name, kGatewayQueue);
      links_.join(name, kGateway);
      links_.set_up(name, true);
    }
  }
  links_.set_mac(kGateway, kGatewayMac);
  links_.set_queue_length(kGateway, kGatewayQueue);
  links_.ignore_routers(kGateway);  // it is the router
  links_.be_router(kGateway);
  links_.set_up(kGateway, true);
}

void BenchNetwork::add_gateway_address(const std::string& address) {
  filter_->refuse_overlap(address);
  links_.add_address(kGateway, address);
  filter_->add_lan(address);
  hosts_.add_subnet(address);
  clashes_->add_address(address);
}

void BenchNetwork::attach(const std::string& device) {
  for (const auto& port : setup_.ports) {
    if (port.device != device) continue;
    if (ports_.contains(device)) throw about(ErrorKind::Busy, "has attached '" + device + "' already", "ask once");
    auto name = port.interface;
    if (name.empty()) name = setup_.ports.size() == 1 ? "device" : "device" + std::to_string(ports_.size());
    UniqueFd wire(::fcntl(free_wires_.at(device).get(), F_DUPFD_CLOEXEC, 0));  // one that fails may be tried again
    auto made = std::make_unique<DevicePort>(port, name, links_, std::move(wire), outbox_);
    hosts_.add_port(device, [made = made.get()] { return made->hosts(); });
    free_wires_.erase(device);
    const std::scoped_lock lock(ports_mutex_);
    ports_[device] = std::move(made);
    return;
  }
  throw about(ErrorKind::NotFound, "has no port for '" + device + "'", "name one of its DUTs");
}

Error BenchNetwork::about(ErrorKind kind, const std::string& cause, const std::string& remedy) const {
  return {kind, "network of dut '" + setup_.name + "'", cause, remedy};
}

DevicePort& BenchNetwork::port(const json& how) {
  std::string names;
  for (const auto& [name, port] : ports_) names += (names.empty() ? "" : ", ") + name;
  const std::string device = how.value("device", "");
  if (device.empty() && ports_.size() == 1) return *ports_.begin()->second;
  if (device.empty()) throw about(ErrorKind::Config, "is shared", "say which device is meant: " + names);
  const auto found = ports_.find(device);
  if (found == ports_.end()) throw about(ErrorKind::NotFound, "has no device '" + device + "'", "there are: " + names);
  return *found->second;
}

void BenchNetwork::begin_interception(const json& how) {
  if (interception_) throw about(ErrorKind::Busy, "answers TLS already", "change its plan (intercept.plan)");
  auto options = interception_options_of(how);
  options.interface = kGateway;
  options.name_of_address = [this](const std::string& address) { return services_->name_of(address); };
  options.on_secrets = [this](std::string_view lines) {
    const std::scoped_lock lock(ports_mutex_);
    for (auto& [name, port] : ports_) port->tls_secrets(std::string(lines));
  };
  options.on_secrets_over = [this](const std::string& client_random) {
    const std::scoped_lock lock(ports_mutex_);
    for (auto& [name, port] : ports_) port->tls_over(client_random);
  };
  options.serve = [this](std::set<int> ports, int others_ipv4, int others_ipv6) {
    filter_->serve(std::move(ports), others_ipv4, others_ipv6);
  };
  interception_ = std::make_shared<Interception>(std::move(options), outbox_);
}

Interception& BenchNetwork::interception() {
  if (!interception_) throw about(ErrorKind::NotFound, "does not answer TLS", "begin with intercept.start");
  return *interception_;
}

json BenchNetwork::status() {
  json status{{"address", setup_.address},       {"address6", setup_.address6},
              {"services", services_->status()}, {"filter", filter_->status()},
              {"clashes", clashes_->status()},   {"interception", interception_ ? interception_->status() : json()},
              {"events_lost", outbox_.lost()}};
  if (setup_.ports.size() == 1 && ports_.size() == 1) {
    status.update(ports_.begin()->second->status());
    return status;
  }
  status["ports"] = json::object();
  for (const auto& [name, port] : ports_) status["ports"][name] = port->status();
  return status;
}

std::function<json(Deadline)> BenchNetwork::waiting(const std::string& what, const json& how) {
  if (what == "scan.tcp") return [scanning = scanning_, how](Deadline) { return scanning->tcp(how); };
  if (what == "scan.udp") return [scanning = scanning_, how](Deadline) { return scanning->udp(how); };
  if (what == "scan.tool") return [scanning = scanning_, how](Deadline) { return scanning->tool(how); };
  if (what != "intercept.wait") return {};
  interception();
  return [kept = interception_, how](Deadline deadline) { return kept->wait(how, deadline); };
}

json BenchNetwork::ask(const std::string& what, const json& how, Deadline deadline) {
  const json done = json::object();
  if (what == "status") return status();
  if (what == "port.attach") return attach(how.at("device")), done;
  if (what == "mark") {
    for (auto& [name, port] : ports_) port->mark(how.at("text"));
    return done;
  }
  if (what == "intercept.start") return begin_interception(how), done;
  if (what == "intercept.plan") return interception().plan(how), done;
  if (what == "intercept.answers") return interception().answers(how), done;
  if (what == "intercept.ended") return interception().ended(how);
  if (what == "watch_ports.start") return scanning_->watch(how), done;
  if (what == "watch_ports.status") return scanning_->watched();
  if (what == "watch_ports.stop") return scanning_->stop_watching();
  if (what == "close") {
    for (auto& [name, port] : ports_) port->stop();
    return status();
  }
  if (auto answer = services_->ask(what, how)) return *answer;
  if (auto answer = filter_->ask(what, how)) return *answer;
  return port(how).ask(what, how, deadline);
}

}  // namespace hilcop
