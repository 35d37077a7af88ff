// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "bench/board_watchers.h"
#include "bench/calibration.h"
#include "bench/console_line.h"
#include "bench/lease_lock.h"
#include "bench/marking_sink.h"
#include "bench/network_port.h"
#include "bench/real_dut.h"
#include "bench/selftest_record.h"
#include "bench/usb_port.h"
#include "io/faulty_stream.h"
#include "io/socket_stream.h"
#include "keeper/start_keeper.h"

namespace hilcop {
namespace {

using nlohmann::json;

class RealBench final : public Bench {
 public:
  RealBench(BenchConfig config, OpenOptions options, DriverTable drivers, EventSink& sink)
      : config_(std::move(config)), options_(std::move(options)), drivers_(drivers), sink_(sink) {
    choose_duts();
    if (options_.capture_dir.empty() && !options_.record_dir.empty()) options_.capture_dir = options_.record_dir / "network";
    try {
      for (const auto& name : options_.duts) lock("dut:" + config_.name + "/" + name, name);
      keeper_ = KeeperClient::connect(options_.keeper, Deadline::in(15s));
      keeper_->on_event([this](const json& event) { take_event(event); });
      loop_ = IoLoop::start();
      watch_usb();
      for (const auto& name : options_.duts) open_dut(config_.duts.at(name));
      open_networks();
      take_early_events();
      emit_open();
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }
  ~RealBench() override {
    try {
      close();
    } catch (const std::exception&) {
      // Said on the timeline by close(); a destructor has nobody to tell.
    }
  }

  const BenchConfig& config() const override { return config_; }
  std::vector<std::string> dut_names() const override { return options_.duts; }
  KeeperClient& keeper() override { return *keeper_; }
  std::uint64_t switch_count(const std::string& dut) override {
    for (const auto& owned : leases_)
      if (owned.power_of == dut) return owned.lease->status(Deadline::in(5s)).at("switch_count");
    return 0;
  }
  Dut& dut(const std::string& name) override {
    if (closed_) throw Error(ErrorKind::Disconnected, "bench '" + config_.name + "'", "is closed", "open it again");
    const auto found = duts_.find(name);
    if (found != duts_.end()) return *found->second;
    throw Error(ErrorKind::NotFound, "bench '" + config_.name + "'", "dut '" + name + "' is not open", "open the bench with it");
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    std::optional<Error> first;
    give_back(&first);
    sink_.emit(make_event("bench", "bench.close", {{"error", first ? first->to_json() : json()}}));
    if (first) throw Error(*first);
  }
  std::vector<std::pair<std::string, Error>> closing_errors() const override { return closing_errors_; }

 private:
  struct OwnedLease {
    std::unique_ptr<Lease> lease;
    std::string power_of;  // the DUT that it powers; empty: another role
    std::string dut;       // whose it is
  };

  void choose_duts() {
    if (options_.duts.empty())
      for (const auto& [name, dut] : config_.duts) options_.duts.push_back(name);
    std::sort(options_.duts.begin(), options_.duts.end());
    for (const auto& name : options_.duts) {
      if (config_.duts.contains(name)) continue;
      std::string names;
      for (const auto& [other, dut] : config_.duts) names += (names.empty() ? "" : ", ") + other;
      throw Error(ErrorKind::Config, "bench '" + config_.name + "'", "has no dut '" + name + "'", "choose one of: " + names);
    }
  }

  std::string holder(const std::string& dut) const {
    return "dut " + dut + " (" + (options_.holder.empty() ? "hilcop" : options_.holder) + ")";
  }

  // Tried at once first: who has to wait is told for whom.
  template <typename Take>
  auto queue_for(const Take& take) {
    try {
      return take(std::nullopt);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Busy || !options_.wait_until) throw;
      const double patience = std::chrono::duration<double>(options_.wait_until->remaining()).count();
      const auto text = fmt::format("waiting for at most {:.0f} s: {} is {}", patience, error.object(), error.cause());
      sink_.emit(make_event("bench", "bench.wait", {{"text", text}}));
      if (options_.on_wait) options_.on_wait(text);
    }
    return take(options_.wait_until);
  }

  void lock(const std::string& identity, const std::string& dut) {
    locks_.push_back(queue_for([&](const auto& until) { return LeaseLock::acquire(identity, holder(dut), until); }));
  }

  LeaseRequest request(const DutConfig& dut, const RoleConfig& role, SafeState safe_state, bool inverted = false) const {
    LeaseRequest request;
    request.instrument = config_.instruments.at(role.instrument);
    request.channel = role.channel;
    request.holder = holder(dut.name);
    request.safe_state = safe_state;
    request.inverted = inverted;
    return request;
  }

  Lease& lease(LeaseRequest request, const std::string& power_of = "") {
    leases_.push_back({queue_for([&](const auto& until) {
                         request.wait_until = until;
                         return keeper_->lease(request, Deadline::in(20s));
                       }),
                       power_of, opening_});
    return *leases_.back().lease;
  }

  void open_dut(const DutConfig& dut) {
    opening_ = dut.name;
    auto& made = *(duts_[dut.name] = std::make_unique<RealDut>(dut, options_.record_dir, *keeper_, sink_));
    // Power first: whatever goes wrong later, it is at its safe state and watched over.
    const auto poles = lease_power(dut);
    for (const auto& [name, role] : dut.consoles) made.give_console(name, open_console(dut, name, role));
    if (const auto port = usb_ports_.find(dut.name); port != usb_ports_.end()) made.give_usb(*port->second);
    if (!poles.empty()) made.give_power(poles), made.give_power_timing(power_timing(dut));
    const auto line = [&](const OutputConfig& output) -> Lease& {
      return lease(request(dut, output.role, output.safe_state, output.active_low));
    };
    if (dut.reset) made.give_reset(line(*dut.reset));
    for (const auto& [name, output] : dut.buttons) made.give_button(name, line(output));
    for (const auto& [name, output] : dut.outputs) made.give_output(name, line(output));
    for (const auto& [name, input] : dut.inputs) made.give_input(name, lease(request(dut, input.role, SafeState::Keep, input.active_low)));
    for (const auto& [name, role] : dut.meters) made.give_meter(name, lease(request(dut, role, SafeState::Keep)));
    for (const auto& [name, storage] : dut.storage) open_storage(dut, name, storage, made);
  }

  NetworkMember member_of_network(const DutConfig& dut) {
    opening_ = dut.name;
    auto& socket = lease(request(dut, dut.network->role, SafeState::Off));
    KeptNetworkOptions options{config_.name,         dut.name, options_.capture_dir, keeper_program(options_.keeper), dut.network->ca,
                               dut.network->capture, {}};
    if (const auto& uplink = dut.network->uplink) options.uplink.emplace(*uplink, lease(request(dut, uplink->role, SafeState::Off)));
    return {std::move(options), socket};
  }
  void open_network_of(const std::vector<const DutConfig*>& duts) {
    std::vector<NetworkMember> members;
    for (const auto* dut : duts) members.push_back(member_of_network(*dut));
    auto ports = open_network(members, sink_, Deadline::in(20s));
    for (std::size_t i = 0; i < duts.size(); ++i) {
      const auto& name = duts[i]->name;
      auto& port = *(networks_[name] = std::move(ports[i]));
      duts_.at(name)->give_network(port);
      sink_.add_mark(name, [&port](const std::string& text) { port.mark(text); });
    }
  }
  void open_networks() {
    std::vector<const DutConfig*> all;
    for (const auto& name : options_.duts)
      if (const auto& dut = config_.duts.at(name); dut.network) all.push_back(&dut);
    if (options_.shared_network && !all.empty()) return open_network_of(all);
    for (const auto* dut : all) open_network_of({dut});
  }

  std::vector<Lease*> lease_power(const DutConfig& dut) {
    std::vector<Lease*> poles;
    if (!dut.power) return poles;
    for (const auto& pole : dut.power->poles) {
      auto wanted = request(dut, pole.role, dut.power->safe_state, pole.normally_closed);
      wanted.min_off = dut.power->min_off;
      // The first waits for its turn; the DUT has no power before all are closed.
      if (poles.empty() && !dut.power->supply.empty())
        wanted.supply = Supply{config_.name + "/" + dut.power->supply, config_.supplies.at(dut.power->supply)};
      poles.push_back(&lease(std::move(wanted), dut.name));
    }
    return poles;
  }

  void open_storage(const DutConfig& dut, const std::string& name, const StorageConfig& storage, RealDut& made) {
    const auto& instrument = config_.instruments.at(storage.instrument);
    const Driver* driver = find_driver(drivers_, instrument.driver);
    lock("storage:" + driver->identity(instrument), dut.name);
    Lease* mux = storage.mux ? &lease(request(dut, storage.mux->role, storage.mux->safe_state, storage.mux->active_low)) : nullptr;
    made.give_storage(
        name, storage, [driver, &instrument](Deadline deadline) { return driver->open_storage(instrument, deadline); }, mux);
  }

  Console& open_console(const DutConfig& dut, const std::string& name, const RoleConfig& role) {
    const auto& instrument = config_.instruments.at(role.instrument);
    const Driver* driver = find_driver(drivers_, instrument.driver);
    ConsoleOptions options;
    options.source = dut.name + "/" + name;
    options.record_dir = options_.record_dir;
    options.pacing = dut.board.pacing;
    options.line_end = dut.board.line_end;
    options.shell = dut.board.has_shell ? std::optional(dut.board.shell) : std::nullopt;
    options.repl = dut.board.repl;
    options.board_file = dut.board.file.lexically_normal().string();
    options.watchers = watchers_for(dut.board, name);
    std::unique_ptr<ByteStream> stream;
    if (driver->open_console) {
      lock("console:" + driver->identity(instrument), dut.name);
      options.powered = !dut.consoles_of_power.contains(name);
      auto line = open_console_line(*driver, instrument, !options.powered);
      stream = std::move(line.stream), options.reopen = std::move(line.reopen);
    } else {
      const auto endpoint = lease(request(dut, role, SafeState::Keep)).endpoint(Deadline::in(10s));
      const std::string path = endpoint.at("unix");
      stream = open_unix_stream(path, Deadline::in(10s));
      if (options_.faults) options.reopen = [path] { return open_unix_stream(path, Deadline::in(1s)); };
    }
    if (options_.faults) make_faulty(stream, options);
    if (const auto lines = dut.lines_while_off.find(name); lines != dut.lines_while_off.end())
      options.lines = power_lines(lines->second, instrument.config);
    consoles_.push_back(Console::open(std::move(stream), std::move(options), *loop_, sink_));
    // Opened with the power at its safe state.
    if (dut.power && dut.power->safe_state == SafeState::Off && dut.lines_while_off.contains(name)) consoles_.back()->power_changed(false);
    return *consoles_.back();
  }

  static PowerLines power_lines(const LinesWhileOff& off, const json& instrument) {
    const auto asserted = [&](const char* line) { return instrument.value(line, "on") == "on"; };
    PowerLines lines;
    lines.tx_low_while_off = off.tx_low;
    if (off.dtr) lines.dtr = {asserted("dtr"), *off.dtr};
    if (off.rts) lines.rts = {asserted("rts"), *off.rts};
    return lines;
  }

  void make_faulty(std::unique_ptr<ByteStream>& stream, ConsoleOptions& options) {
    auto state = std::make_shared<LineFaultState>(*options_.faults, [this, source = options.source](const LineFault& fault) {
      sink_.emit(make_event(source, "console.fault",
                            {{"fault", to_string(fault.kind)}, {"to_device", fault.to_device}, {"offset", fault.offset}}));
    });
    stream = make_faulty_stream(std::move(stream), state);
    options.reopen = [state, inner = std::move(options.reopen)] { return make_faulty_stream(inner(), state); };
  }

  // From before the first power-on. One watch for all DUTs.
  void watch_usb() {
    for (const auto& name : options_.duts) {
      const auto& dut = config_.duts.at(name);
      if (!dut.usb) continue;
      lock("usb:" + dut.usb->text(), name);
      usb_ports_[name] = std::make_unique<WatchedUsbPort>(
          name, *dut.usb, dut.board,
          [this] {
            if (usb_watch_) usb_watch_->look();
          },
          sink_);
      sink_.add_mark(name, [&port = *usb_ports_[name]](const std::string& text) { port.mark(text); });
    }
    if (usb_ports_.empty()) return;
    usb_watch_ = UsbWatch::start([this](const UsbChange& change) {
      for (auto& [name, port] : usb_ports_) port->changed(change);
    });
  }

  void emit_open() {
    json duts = json::object();
    for (const auto& name : options_.duts) {
      const auto& dut = config_.duts.at(name);
      json instruments = instruments_of(config_, dut);
      if (dut.power) instruments["power"]["switch_count"] = switch_count(name);
      duts[name] = {{"board", dut.board.name},
                    {"board_sha256", dut.board.sha256},
                    {"serial_number", dut.serial_number},
                    {"boot_noise", dut.board.boot_noise},
                    {"instruments", instruments},
                    {"power_timing", duts_.at(name)->power_timing()},
                    {"selftest", selftest_state(config_, name)}};
    }
    sink_.emit(make_event("bench", "bench.open",
                          {{"bench", config_.name},
                           {"file", config_.file.string()},
                           {"sha256", config_.sha256},
                           {"duts", duts},
                           {"faults", options_.faults ? to_json(*options_.faults) : json()}}));
  }

  json power_timing(const DutConfig& dut) const {
    const auto found = find_calibration(calibration_key(config_, dut, drivers_));
    return found ? to_json(*found) : json();
  }

  // On the client's reader thread. What comes while DUTs are being opened is dealt with when they are.
  void take_event(const json& event) {
    {
      const std::scoped_lock lock(events_mutex_);
      if (!is_open_) return early_events_.push_back(event);
    }
    keeper_event(event);
  }
  void take_early_events() {
    std::vector<json> events;
    {
      const std::scoped_lock lock(events_mutex_);
      is_open_ = true;
      events.swap(early_events_);
    }
    for (const auto& event : events) keeper_event(event);
  }

  void keeper_event(const json& event) {
    const std::string kind = event.value("event", "");
    if (kind != "machine.died" && kind != "keeper.lost" && kind != "lease.lost") return;
    const json data = event.value("data", json::object());
    sink_.emit(make_event("keeper", kind, event));
    const Error why(ErrorKind::Disconnected, kind == "machine.died" ? "instrument " + event.value("instrument", "?") : "keeper",
                    kind == "machine.died"
                        ? data.value("reason", "died") + (data.contains("output") ? ": " + data["output"].get<std::string>() : "")
                        : "the leases of this bench are lost: its outputs go to their safe states",
                    "open the bench again");
    for (auto& [name, dut] : duts_)
      if (kind != "machine.died" || is_powered_by(config_, drivers_, config_.duts.at(name), event.value("instrument", ""))) dut->died(why);
  }

  // Everything back, whatever fails on the way; the first failure is told.
  void give_back(std::optional<Error>* first) noexcept {
    const InterruptsDeferred whatever_ended_it;
    const auto attempt = [&](const std::string& dut, const auto& action) {
      try {
        action();
        return;
      } catch (const Error& error) {
        closing_errors_.emplace_back(dut, error);
      } catch (const std::exception& error) {
        closing_errors_.emplace_back(dut, Error(ErrorKind::Protocol, "bench", error.what()));
      }
      if (first != nullptr && !*first) *first = closing_errors_.back().second;
    };
    for (auto& [name, dut] : duts_) attempt(name, [&dut = dut] { dut->leaving(); });
    // Power goes first; the consoles hear its last words; then the rest, and with it what served the consoles.
    for (auto& owned : leases_)
      if (!owned.power_of.empty()) attempt(owned.dut, [&] { owned.lease->release(Deadline::in(5s)); });
    // The objects live on until the bench itself dies: who still holds a DUT gets errors, not a crash.
    for (auto& console : consoles_) attempt(console->source().substr(0, console->source().find('/')), [&] { console->close(); });
    for (const auto& name : options_.duts) sink_.clear_marks(name);
    for (auto& [name, network] : networks_) attempt(name, [&network = network] { network->close(Deadline::in(10s)); });
    for (auto& owned : leases_) attempt(owned.dut, [&] { owned.lease->release(Deadline::in(5s)); });
    for (auto& [name, port] : usb_ports_) port->close();
    usb_watch_.reset();
    if (keeper_) keeper_->on_event({});
    locks_.clear();
  }

  BenchConfig config_;
  OpenOptions options_;
  DriverTable drivers_;
  MarkingSink sink_;
  // Destroyed from the last to the first.
  std::vector<std::unique_ptr<LeaseLock>> locks_;
  std::unique_ptr<KeeperClient> keeper_;
  std::unique_ptr<IoLoop> loop_;
  std::map<std::string, std::unique_ptr<WatchedUsbPort>> usb_ports_;
  std::unique_ptr<UsbWatch> usb_watch_;
  std::vector<std::unique_ptr<Console>> consoles_;
  std::vector<OwnedLease> leases_;
  std::map<std::string, std::unique_ptr<KeptNetwork>> networks_;
  std::map<std::string, std::unique_ptr<RealDut>> duts_;
  std::string opening_;  // the DUT whose roles are being leased
  std::vector<std::pair<std::string, Error>> closing_errors_;
  std::mutex events_mutex_;
  bool is_open_ = false;
  std::vector<json> early_events_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<Bench> Bench::open(BenchConfig config, OpenOptions options, DriverTable drivers, EventSink& sink) {
  return std::make_unique<RealBench>(std::move(config), std::move(options), drivers, sink);
}

}  // namespace hilcop
