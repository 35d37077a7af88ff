// SPDX-License-Identifier: Apache-2.0
#include "network/process/bench_network.h"

#include "base/error.h"
#include "network/port/tap.h"
#include "network/process/asked.h"
#include "network/process/recording.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr const char *kGatewayMac = "02:77:00:00:00:01", *kMainCapture = "main";
constexpr std::chrono::milliseconds kNeighbourRetry{100};  // a device that boots is met as soon
constexpr unsigned kQueue = 10'000;                        // frames: a tenth of a second at 100,000 a second

json figures(const WireCounts& counts) {
  const auto& frames = counts.frames;
  return {{"arrived", frames.arrived},
          {"passed", frames.passed},
          {"lost", frames.lost},
          {"duplicated", frames.duplicated},
          {"corrupted", frames.corrupted},
          {"reordered", frames.reordered},
          {"overflowed", frames.overflowed},
          {"cut", counts.cut},
          {"not_kept", counts.not_kept},
          {"not_taken", counts.not_taken}};
}

Impairment impairment_of(const json& how) {
  const auto share = [&](const char* key) { return how.value(key, 0.0); };
  const auto span = [&](const char* key) { return seconds_asked(how, key, 60, "impairment of the bench network"); };
  Impairment impairment;
  impairment.loss = share("loss");
  impairment.duplicate = share("duplicate");
  impairment.corrupt = share("corrupt");
  impairment.reorder = share("reorder");
  impairment.delay = span("delay_s");
  impairment.jitter = span("jitter_s");
  impairment.rate = how.value("rate_bit_s", std::uint64_t{0});
  impairment.queue = how.value("queue", std::size_t{1000});
  return impairment;
}

}  // namespace

BenchNetwork::BenchNetwork(const NetworkSetup& setup, Outbox& outbox) : setup_(setup), outbox_(outbox) {
  auto port = make_tap(kPort);
  auto gateway = make_tap(kGateway);
  links_.set_mac(kGateway, kGatewayMac);
  links_.set_silent(kPort);
  for (const char* name : {kPort, kGateway}) links_.set_queue_length(name, kQueue);
  if (!setup_.capture.empty()) start_capture(kMainCapture, setup_.capture, setup_.capture_ring);
  links_.ignore_routers(kGateway);  // it is the router
  links_.set_up(kGateway, true);
  links_.add_address(kGateway, setup_.address);
  links_.add_address(kGateway, setup_.address6);
  links_.set_neighbour_retry(kGateway, kNeighbourRetry);
  links_.take_all_from(kGateway);
  wire_ = std::make_unique<Wire>(kPort, std::move(gateway));
  links_.set_up(kPort, true);
  services_ = std::make_unique<GatewayServices>(
      kGateway, setup_.address, setup_.address6, [this](const std::string& address) { links_.add_address(kGateway, address); }, outbox_);
  scanning_ = std::make_shared<Scanning>(
      kGateway, [services = services_.get()] { return services->leases(); }, outbox_);
  wire_->set_plugged(false);
  cable_ = std::make_unique<Cable>(std::move(port), setup_.cable, [this](bool plugged) { wire_->set_plugged(plugged); });
}

BenchNetwork::~BenchNetwork() = default;

Error BenchNetwork::about(ErrorKind kind, const std::string& cause, const std::string& remedy) const {
  return {kind, "network of dut '" + setup_.name + "'", cause, remedy};
}

PacketRecorder& BenchNetwork::capture(const std::string& name) {
  const auto found = captures_.find(name);
  if (found != captures_.end()) return *found->second;
  throw about(ErrorKind::NotFound, "records no capture '" + name + "'",
              name == kMainCapture ? "open the bench with a record directory" : "start it first");
}

json BenchNetwork::start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) {
  if (captures_.contains(name)) throw about(ErrorKind::Busy, "records a capture '" + name + "' already", "stop it, or choose another name");
  auto recorder = std::make_unique<PacketRecorder>(kPort, capture_files(file, ring, setup_.name));
  const std::scoped_lock lock(captures_mutex_);
  captures_[name] = std::move(recorder);
  return json::object();
}

json BenchNetwork::stop_capture(const std::string& name) {
  const auto result = figures(capture(name).stop(), true);
  const std::scoped_lock lock(captures_mutex_);
  captures_.erase(name);
  return result;
}

json BenchNetwork::ask_capture(const std::string& what, const json& how, Deadline deadline) {
  const std::string name = how.value("name", kMainCapture);
  if (what == "capture.start") {
    const std::string file = how.at("file");
    return start_capture(name, file, capture_ring_from_json(how.value("ring", json()), "capture " + file));
  }
  if (what == "capture.stop") return stop_capture(name);
  if (what != "capture.sync") throw about(ErrorKind::Unsupported, "knows no '" + what + "'", "");
  auto& recorder = capture(name);
  recorder.sync(deadline);
  const auto status = recorder.status();
  if (status.failure) throw Error(*status.failure);  // what had passed is not in the file
  return figures(status, true);
}

void BenchNetwork::impair(const json& how) {
  const auto impairment = impairment_of(how);
  const std::string direction = how.value("direction", "both");
  if (direction != "both" && direction != "from_device" && direction != "to_device")
    throw about(ErrorKind::Config, "has no direction '" + direction + "'", "choose one of: both, from_device, to_device");
  const std::uint64_t seed = how.value("seed", std::uint64_t{1});
  // Two directions with one seed would lose the same frames of both.
  if (direction != "to_device") wire_->impair(Direction::FromDevice, impairment, seed * 2);
  if (direction != "from_device") wire_->impair(Direction::ToDevice, impairment, seed * 2 + 1);
}

void BenchNetwork::begin_interception(const json& how) {
  if (interception_) throw about(ErrorKind::Busy, "answers TLS already", "change its plan (intercept.plan)");
  Interception::Options options;
  options.interface = kGateway;
  options.ports = how.value("ports", options.ports);
  options.ca_pem = how.value("ca_pem", "");
  options.ca_key_pem = how.value("ca_key_pem", "");
  options.otherwise = intercept_case_named(how.value("case", "sound"));
  options.name_of_address = [this](const std::string& address) { return services_->name_of(address); };
  options.on_secrets = [this](std::string_view lines) {
    const std::scoped_lock lock(captures_mutex_);
    for (auto& [name, recorder] : captures_) recorder->tls_secrets(std::string(lines));
  };
  options.on_secrets_over = [this](const std::string& client_random) {
    const std::scoped_lock lock(captures_mutex_);
    for (auto& [name, recorder] : captures_) recorder->tls_over(client_random);
  };
  interception_ = std::make_shared<Interception>(std::move(options), outbox_);
}

Interception& BenchNetwork::interception() {
  if (!interception_) throw about(ErrorKind::NotFound, "does not answer TLS", "begin with intercept.start");
  return *interception_;
}

json BenchNetwork::status() {
  json captures = json::object();
  for (const auto& [name, recorder] : captures_) captures[name] = figures(recorder->status(), false);
  const auto port = links_.counts(kPort);
  return {{"plugged", cable_ && cable_->connected()},
          {"address", setup_.address},
          {"address6", setup_.address6},
          {"captures", captures},
          {"services", services_->status()},
          {"interception", interception_ ? interception_->status() : json()},
          {"events_lost", outbox_.lost()},
          {"from_device", figures(wire_->counts(Direction::FromDevice))},
          {"to_device", figures(wire_->counts(Direction::ToDevice))},
          {"port_queue_dropped", port ? port->tx_dropped : 0}};
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
  if (what == "mark") {
    for (auto& [name, recorder] : captures_) recorder->mark(how.at("text"));
    return done;
  }
  if (what.starts_with("capture.")) return ask_capture(what, how, deadline);
  if (what == "impair") return impair(how), done;
  if (what == "cut") return wire_->set_cut(how.at("cut")), done;
  if (what == "intercept.start") return begin_interception(how), done;
  if (what == "intercept.plan") return interception().plan(how), done;
  if (what == "intercept.ended") return interception().ended(how);
  if (what == "watch_ports.start") return scanning_->watch(how), done;
  if (what == "watch_ports.status") return scanning_->watched();
  if (what == "watch_ports.stop") return scanning_->stop_watching();
  if (what == "close") {
    cable_.reset();
    for (auto& [name, recorder] : captures_) recorder->stop();
    return status();
  }
  if (auto answer = services_->ask(what, how)) return *answer;
  throw about(ErrorKind::Unsupported, "knows no '" + what + "'", "");
}

}  // namespace hilcop
