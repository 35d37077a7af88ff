// SPDX-License-Identifier: Apache-2.0
#include "bench/kept_roles.h"

#include "base/interrupt.h"

namespace hilcop {
namespace {

using nlohmann::json;

class KeptPowerPort final : public PowerPort {
 public:
  KeptPowerPort(std::string dut, PowerConfig config, Lease& lease, PowerListener& listener, EventSink& sink)
      : dut_(std::move(dut)), config_(std::move(config)), lease_(lease), listener_(listener), sink_(sink) {}

  PowerEdge on(Deadline deadline) override {
    listener_.before_on();
    PowerEdge edge{true, lease_.set(true, json::object(), deadline), ""};
    listener_.after_on(edge.result);
    if (config_.verify_read_back && edge.result.read_back == false)
      throw Error(ErrorKind::Protocol, object(), "was switched on but reads back off", "check the instrument and its wiring");
    emit(edge);
    return edge;
  }
  PowerEdge off(const json& options, Deadline deadline) override { return after(lease_.set(false, options, deadline), deadline); }
  PowerEdge off_at(SteadyTime when, const json& options, Deadline deadline) override {
    return after(lease_.set_at(when, false, options, deadline), deadline);
  }
  void arm_cut(const json& options, Deadline deadline) override { lease_.arm(options, deadline); }
  std::optional<PowerEdge> wait_cut(Deadline deadline) override {
    const auto fired = lease_.wait_fired(deadline);
    if (!fired) return std::nullopt;
    return after(*fired, Deadline::in(10s));
  }
  std::optional<bool> state(Deadline deadline) override { return lease_.get(deadline); }
  json report(Deadline deadline) override { return lease_.report(deadline); }

 private:
  std::string object() const { return "power of dut '" + dut_ + "'"; }

  PowerEdge after(SwitchResult result, Deadline deadline) {
    PowerEdge edge{false, std::move(result), ""};
    listener_.after_off();
    try {
      edge.verified_by = verify(edge, deadline);
    } catch (...) {
      emit(edge);  // the edge happened, whatever was wrong with it
      throw;
    }
    emit(edge);
    return edge;
  }

  std::string verify(const PowerEdge& edge, Deadline deadline) {
    std::string means;
    if (config_.verify_read_back) {
      auto state = edge.result.read_back;
      if (!state) state = lease_.get(deadline);
      if (state == true)
        throw Error(ErrorKind::Protocol, object(), "was switched off but reads back on", "check the instrument and its wiring");
      if (state == false) means = "read-back";
    }
    auto* console = listener_.main_console();
    if (config_.verify_console_silence && console != nullptr) {
      const auto since = edge.result.acknowledged;
      const bool silent =
          console->wait_silence(*config_.verify_console_silence, deadline.at_most(*config_.verify_console_silence + 5s), since);
      if (!silent && console->connected_since(since))
        throw Error(ErrorKind::Protocol, object(), "was switched off but the console still speaks",
                    "check that this output powers this DUT");
      // Lost, or lost for a while: it went with the power that feeds it, or was unplugged. Nothing was heard, and nothing proved.
      if (silent) means += means.empty() ? "console-silence" : ", console-silence";
    }
    return means;
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
  Lease& lease_;
  PowerListener& listener_;
  EventSink& sink_;
};

class KeptOutput final : public DigitalOutput {
 public:
  KeptOutput(std::string source, bool active_low, Lease& lease, EventSink& sink)
      : source_(std::move(source)), active_low_(active_low), lease_(lease), sink_(sink) {}
  SwitchResult set(bool asserted, Deadline deadline) override {
    auto result = lease_.set(asserted != active_low_, json::object(), deadline);
    json data = to_json(result);
    data["on"] = asserted;
    sink_.emit({result.acknowledged, real_clock().utc_now(), source_, "output.set", std::move(data)});
    return result;
  }

 private:
  std::string source_;
  bool active_low_;
  Lease& lease_;
  EventSink& sink_;
};

class KeptInput final : public DigitalInput {
 public:
  KeptInput(bool active_low, Lease& lease, std::string object) : active_low_(active_low), lease_(lease), object_(std::move(object)) {}
  bool get(Deadline deadline) override {
    const auto level = lease_.get(deadline);
    if (!level)
      throw Error(ErrorKind::Unsupported, object_, "the instrument cannot read this channel", "choose an input of it in lab-config");
    return *level != active_low_;
  }

 private:
  bool active_low_;
  Lease& lease_;
  std::string object_;
};

class KeptButton final : public Button {
 public:
  KeptButton(std::string source, bool active_low, Lease& lease, EventSink& sink)
      : source_(std::move(source)), active_low_(active_low), lease_(lease), sink_(sink) {}
  void press(Deadline deadline) override { set(true, deadline); }
  void release(Deadline deadline) override { set(false, deadline); }

 private:
  void set(bool pressed, Deadline deadline) {
    const auto result = lease_.set(pressed != active_low_, json::object(), deadline);
    json data = to_json(result);
    data["on"] = pressed;
    sink_.emit({result.acknowledged, real_clock().utc_now(), source_, pressed ? "button.press" : "button.release", std::move(data)});
  }

  std::string source_;
  bool active_low_;
  Lease& lease_;
  EventSink& sink_;
};

}  // namespace

std::unique_ptr<PowerPort> make_power_port(std::string dut, PowerConfig config, Lease& lease, PowerListener& listener, EventSink& sink) {
  return std::make_unique<KeptPowerPort>(std::move(dut), std::move(config), lease, listener, sink);
}
std::unique_ptr<DigitalOutput> make_output(std::string source, bool active_low, Lease& lease, EventSink& sink) {
  return std::make_unique<KeptOutput>(std::move(source), active_low, lease, sink);
}
std::unique_ptr<DigitalInput> make_input(bool active_low, Lease& lease, std::string object) {
  return std::make_unique<KeptInput>(active_low, lease, std::move(object));
}
std::unique_ptr<Button> make_button(std::string source, bool active_low, Lease& lease, EventSink& sink) {
  return std::make_unique<KeptButton>(std::move(source), active_low, lease, sink);
}

}  // namespace hilcop
