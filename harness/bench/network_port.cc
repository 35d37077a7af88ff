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

NetworkSetup setup_for(const KeptNetworkOptions& options) {
  NetworkSetup setup;
  setup.name = options.dut;
  setup.bench = options.bench;
  // A unix socket's name has 107 bytes: short, and of this process alone.
  const int number = networks_of_this_process++;
  setup.cable = runtime_dir() / fmt::format("net-{}-{}", ::getpid(), number);
  setup.door = new_status_door(number);
  status_doors();  // removes what others left who were killed
  if (options.record_dir.empty()) return setup;
  std::filesystem::create_directories(options.record_dir / "network");
  setup.capture = std::filesystem::absolute(options.record_dir / "network" / (options.dut + ".pcapng"));
  return setup;
}

class RunningPort final : public KeptNetwork {
 public:
  RunningPort(const KeptNetworkOptions& options, Lease& socket, EventSink& sink, Deadline deadline)
      : source_(options.dut + "/network"), socket_(socket), sink_(sink) {
    network_ = NetworkClient::start({setup_for(options), options.program, [this](const json& event) { told(event); }}, deadline);
    sink_.emit(make_event(source_, "network.open", to_json(network_->setup())));
    set_link(true, deadline);
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
    const auto result = socket_.set(up, up ? json{{"unix", network_->setup().cable.string()}} : json::object(), deadline);
    auto data = to_json(result);
    data["up"] = up;
    sink_.emit(make_event(source_, "network.link", std::move(data)));
  }
  const std::filesystem::path& capture_file() const override { return network_->setup().capture; }
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
  void told(const json& event) {
    sink_.emit({from_ns(event.at("steady_ns")), UtcTime(Nanoseconds(event.at("utc_ns").get<std::int64_t>())), source_,
                "network." + event.at("event").get<std::string>(), event.value("data", json::object())});
  }

  std::string source_;
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
