// SPDX-License-Identifier: Apache-2.0
// Outputs, inputs, keys and meters on channels that the keeper holds. Polarity is the lease's.
#include "bench/kept_roles.h"

namespace hilcop {
namespace {

using nlohmann::json;

class KeptOutput final : public DigitalOutput {
 public:
  KeptOutput(std::string source, Lease& lease, EventSink& sink) : source_(std::move(source)), lease_(lease), sink_(sink) {}
  SwitchResult set(bool asserted, Deadline deadline) override {
    auto result = lease_.set(asserted, json::object(), deadline);
    emit_line(source_, false, asserted, result, sink_);
    return result;
  }

 private:
  std::string source_;
  Lease& lease_;
  EventSink& sink_;
};

class KeptInput final : public DigitalInput {
 public:
  KeptInput(Lease& lease, std::string object) : lease_(lease), object_(std::move(object)) {}
  bool get(Deadline deadline) override {
    const auto level = lease_.get(deadline);
    if (!level)
      throw Error(ErrorKind::Unsupported, object_, "the instrument cannot read this channel", "choose an input of it in lab-config");
    return *level;
  }

 private:
  Lease& lease_;
  std::string object_;
};

class KeptButton final : public Button {
 public:
  KeptButton(std::string source, Lease& lease, EventSink& sink) : source_(std::move(source)), lease_(lease), sink_(sink) {}
  SwitchResult press(Deadline deadline) override { return set(true, deadline); }
  SwitchResult release(Deadline deadline) override { return set(false, deadline); }

 private:
  SwitchResult set(bool pressed, Deadline deadline) {
    auto result = lease_.set(pressed, json::object(), deadline);
    emit_line(source_, true, pressed, result, sink_);
    return result;
  }

  std::string source_;
  Lease& lease_;
  EventSink& sink_;
};

class KeptMeter final : public Meter {
 public:
  KeptMeter(std::string source, Lease& lease, EventSink& sink) : source_(std::move(source)), lease_(lease), sink_(sink) {}
  Reading read(Deadline deadline) override {
    auto reading = lease_.measure(deadline);
    sink_.emit({reading.at, real_clock().utc_now(), source_, "meter.reading", {{"value", reading.value}, {"unit", reading.unit}}});
    return reading;
  }

 private:
  std::string source_;
  Lease& lease_;
  EventSink& sink_;
};

}  // namespace

void emit_line(const std::string& source, bool button, bool asserted, const SwitchResult& result, EventSink& sink) {
  json data = to_json(result);
  data["on"] = asserted;
  sink.emit({result.acknowledged, real_clock().utc_now(), source,
             !button    ? "output.set"
             : asserted ? "button.press"
                        : "button.release",
             std::move(data)});
}

std::unique_ptr<DigitalOutput> make_output(std::string source, Lease& lease, EventSink& sink) {
  return std::make_unique<KeptOutput>(std::move(source), lease, sink);
}
std::unique_ptr<DigitalInput> make_input(Lease& lease, std::string object) { return std::make_unique<KeptInput>(lease, std::move(object)); }
std::unique_ptr<Button> make_button(std::string source, Lease& lease, EventSink& sink) {
  return std::make_unique<KeptButton>(std::move(source), lease, sink);
}
std::unique_ptr<Meter> make_meter(std::string source, Lease& lease, EventSink& sink) {
  return std::make_unique<KeptMeter>(std::move(source), lease, sink);
}

}  // namespace hilcop
