// SPDX-License-Identifier: Apache-2.0
// A DUT's power on outputs that the keeper holds, and the proofs that it went.
#include <exception>

#include "base/interrupt.h"
#include "bench/kept_roles.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr Nanoseconds kLookAgain = 20ms;

// Of several poles as of one: acknowledged when the last was. Powered while all are closed; off for certain only when all are open.
SwitchResult merged(const std::vector<SwitchResult>& poles, bool on) {
  SwitchResult all = poles.front();
  for (std::size_t i = 1; i < poles.size(); ++i) {
    const auto& pole = poles[i];
    all.commanded = std::min(all.commanded, pole.commanded);
    all.acknowledged = std::max(all.acknowledged, pole.acknowledged);
    all.details["pole " + std::to_string(i + 1)] = to_json(pole);
    const bool bad = pole.read_back && *pole.read_back != on, worse = all.read_back && *all.read_back != on;
    if (bad || (!pole.read_back && !worse)) all.read_back = pole.read_back;
  }
  return all;
}

class KeptPowerPort final : public PowerPort {
 public:
  KeptPowerPort(std::string dut, PowerConfig config, std::vector<Lease*> poles, KeeperClient& keeper, PowerListener& listener,
                EventSink& sink)
      : dut_(std::move(dut)), config_(std::move(config)), poles_(std::move(poles)), keeper_(keeper), listener_(listener), sink_(sink) {}

  PowerEdge on(Deadline deadline) override {
    listener_.before_on();
    if (const auto* console = listener_.main_console(); console != nullptr) heard_before_on_ = console->offset();
    PowerEdge edge{true, switch_on(deadline), ""};
    try {
      listener_.after_on(edge.result);
      edge.verified_by = verify_on(edge, deadline);
    } catch (...) {
      emit(edge);  // the edge happened, whatever was wrong with it
      throw;
    }
    emit(edge);
    return edge;
  }
  PowerEdge off(const json& options, Deadline deadline) override { return switch_off(options, deadline, {}); }
  PowerEdge off_at(SteadyTime when, const json& options, Deadline deadline) override { return switch_off(options, deadline, when); }
  void arm_cut(const json& options, Deadline deadline) override {
    if (poles_.size() > 1)
      throw Error(ErrorKind::Unsupported, object(), "has several poles, which no instrument cuts together by itself", "cut by time");
    poles_.front()->arm(options, deadline);
  }
  std::optional<PowerEdge> wait_cut(Deadline deadline) override {
    const auto fired = poles_.front()->wait_fired(deadline);
    if (!fired) return std::nullopt;
    return after(*fired, Deadline::in(10s));
  }
  std::optional<bool> state(Deadline deadline) override {
    std::optional<bool> all = true;
    for (auto* pole : poles_) {
      const auto one = pole->get(deadline);
      if (one == false) return false;
      if (!one) all = std::nullopt;
    }
    return all;
  }
  json report(Deadline deadline) override { return poles_.front()->report(deadline); }
  json adjust(const json& setting, Deadline deadline) override {
    auto set = poles_.front()->adjust(setting, deadline);
    sink_.emit(make_event(dut_ + "/power", "power.adjust", {{"asked", setting}, {"set", set}}));
    return set;
  }

 private:
  std::string object() const { return "power of dut '" + dut_ + "'"; }

  SwitchResult switch_all(bool on, const json& options, Deadline deadline, std::optional<SteadyTime> at) {
    if (poles_.size() > 1) return merged(keeper_.set_together(poles_, on, options, deadline, at), on);
    return at ? poles_.front()->set_at(*at, on, options, deadline) : poles_.front()->set(on, options, deadline);
  }

  SwitchResult switch_on(Deadline deadline) {
    try {
      return switch_all(true, json::object(), deadline, {});
    } catch (...) {
      // One pole may be closed: it must not wait for the other's next turn.
      if (poles_.size() > 1) open_all();
      throw;
    }
  }

  PowerEdge switch_off(const json& options, Deadline deadline, std::optional<SteadyTime> at) {
    std::exception_ptr wrong;  // what cannot be noted does not keep the power on
    attempt(wrong, [&] { listener_.before_off(at.value_or(real_clock().now())); });
    SwitchResult result;
    try {
      result = switch_all(false, options, deadline, at);
    } catch (...) {
      listener_.off_failed();
      throw;
    }
    return after(std::move(result), deadline, wrong);
  }

  /// Keeps the first that was wrong.
  template <typename Action>
  static void attempt(std::exception_ptr& wrong, const Action& action) {
    try {
      action();
    } catch (...) {
      if (!wrong) wrong = std::current_exception();
    }
  }

  void open_all() noexcept {
    for (auto* pole : poles_) {
      try {
        pole->set(false, json::object(), Deadline::in(2s));
      } catch (const std::exception&) {
        continue;  // the lease's end brings it to its safe state, and what was wrong is told already
      }
    }
  }

  // The edge happened, and is looked at, whatever else was wrong: a line that could not be held, say.
  PowerEdge after(SwitchResult result, Deadline deadline, std::exception_ptr wrong = nullptr) {
    PowerEdge edge{false, std::move(result), ""};
    attempt(wrong, [&] { listener_.after_off(); });
    attempt(wrong, [&] { edge.verified_by = verify_off(edge, deadline); });
    emit(edge);
    if (wrong) std::rethrow_exception(wrong);
    return edge;
  }

  static void add(std::string& means, const std::string& one) { means += (means.empty() ? "" : ", ") + one; }

  std::string verify_on(const PowerEdge& edge, Deadline deadline) {
    std::string means;
    if (config_.verify_read_back && edge.result.read_back == false)
      throw Error(ErrorKind::Protocol, object(), "was switched on but reads back off", "check the instrument and its wiring");
    if (config_.verify_read_back && edge.result.read_back == true) add(means, "read-back");
    verify_by_sensing(true, deadline, means);
    return means;
  }

  std::string verify_off(const PowerEdge& edge, Deadline deadline) {
    std::string means;
    if (config_.verify_read_back) {
      const auto state = edge.result.read_back ? edge.result.read_back : any_closed(deadline);
      if (state == true)
        throw Error(ErrorKind::Protocol, object(), "was switched off but reads back on", "check the instrument and its wiring");
      if (state == false) add(means, "read-back");
    }
    auto* console = listener_.main_console();
    if (config_.verify_console_silence && console != nullptr) {
      const auto since = edge.result.acknowledged;
      const bool silent =
          console->wait_silence(*config_.verify_console_silence, deadline.at_most(*config_.verify_console_silence + 5s), since);
      if (!silent && console->connected_since(since))
        throw Error(ErrorKind::Protocol, object(), "was switched off but the console still speaks",
                    "check that this output powers this DUT");
      // Lost, or lost for a while: it went with the power that feeds it, or was unplugged. Nothing was heard, and nothing proved. Nor
      // by the silence of one that had said nothing while the power was on.
      if (silent && console->offset() > heard_before_on_) add(means, "console-silence");
    }
    if (auto* usb = listener_.usb_port(); config_.verify_usb_gone && usb != nullptr) {
      // Absence proves something only of what was there.
      const auto gone = usb->gone_since(edge.result.commanded, deadline.at_most(*config_.verify_usb_gone));
      if (gone == false)
        throw Error(ErrorKind::Protocol, object(), "was switched off but is still there on USB", "check that this output powers this DUT");
      if (gone == true) add(means, "usb-disappearance");
    }
    verify_by_sensing(false, deadline, means);
    return means;
  }

  // By what the bench has besides the instrument that switches: looked at until it agrees, or the time for it is over.
  void verify_by_sensing(bool on, Deadline deadline, std::string& means) {
    const auto agrees = [&](const auto& seen) {
      const Deadline limit = deadline.at_most(config_.verify_within);
      while (seen() != on) {
        if (limit.expired()) return false;
        wait_until(limit.at_most(kLookAgain));
      }
      return true;
    };
    const std::string was = std::string("was switched ") + (on ? "on" : "off") + " but ";
    if (!config_.verify_input.empty()) {
      auto& input = listener_.sensing_input(config_.verify_input);
      if (!agrees([&] { return input.get(deadline); }))
        throw Error(ErrorKind::Protocol, object(), was + "input '" + config_.verify_input + "' says otherwise",
                    "check that this output powers this DUT, and the input's wiring and `active_low`");
      add(means, "input " + config_.verify_input);
    }
    if (config_.verify_meter) {
      auto& meter = listener_.sensing_meter(config_.verify_meter->meter);
      double last = 0;
      if (!agrees([&] { return (last = meter.read(deadline).value) >= config_.verify_meter->below; }))
        throw Error(ErrorKind::Protocol, object(), was + "meter '" + config_.verify_meter->meter + "' shows " + json(last).dump(),
                    "check that this output powers this DUT, and `below` in lab-config");
      add(means, "meter " + config_.verify_meter->meter);
    }
  }

  // False: every pole reads that it is open.
  std::optional<bool> any_closed(Deadline deadline) {
    std::optional<bool> any = false;
    for (auto* pole : poles_) {
      const auto one = pole->get(deadline);
      if (one == true) return true;
      if (!one) any = std::nullopt;
    }
    return any;
  }

  void emit(const PowerEdge& edge) {
    json data = to_json(edge.result);
    data["on"] = edge.on;
    data["verified_by"] = edge.verified_by;
    auto* console = listener_.main_console();
    data["offset"] = console != nullptr ? json(console->offset()) : json();
    sink_.emit({edge.result.acknowledged, real_clock().utc_now(), dut_ + "/power", "power.edge", std::move(data)});
  }

  std::string dut_;
  PowerConfig config_;
  std::vector<Lease*> poles_;
  KeeperClient& keeper_;
  PowerListener& listener_;
  EventSink& sink_;
  std::uint64_t heard_before_on_ = 0;  // of the main console
};

}  // namespace

std::unique_ptr<PowerPort> make_power_port(std::string dut, PowerConfig config, std::vector<Lease*> poles, KeeperClient& keeper,
                                           PowerListener& listener, EventSink& sink) {
  return std::make_unique<KeptPowerPort>(std::move(dut), std::move(config), std::move(poles), keeper, listener, sink);
}

}  // namespace hilcop
