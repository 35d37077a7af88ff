// SPDX-License-Identifier: Apache-2.0
#include "bench/real_dut.h"

#include <algorithm>
#include <exception>

#include "base/interrupt.h"

namespace hilcop {
namespace {

// A stage that is late is waited for this many times its limit: late is a finding, lost a worse one.
constexpr int kPatience = 2;

template <typename Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

double seconds(Nanoseconds span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

void RealDut::give_power(std::vector<Lease*> poles) {
  power_ = make_power_port(config_.name, *config_.power, std::move(poles), keeper_, *this, sink_);
}
void RealDut::give_reset(Lease& lease) { reset_ = make_output(config_.name + "/reset", lease, sink_); }
void RealDut::give_button(const std::string& name, Lease& lease) {
  buttons_[name] = make_button(config_.name + "/" + name, lease, sink_);
  button_leases_[name] = &lease;
}
void RealDut::give_output(const std::string& name, Lease& lease) {
  outputs_[name] = make_output(config_.name + "/" + name, lease, sink_);
  output_leases_[name] = &lease;
}
void RealDut::give_input(const std::string& name, Lease& lease) {
  inputs_[name] = make_input(lease, "input '" + name + "' of dut '" + config_.name + "'");
}
void RealDut::give_meter(const std::string& name, Lease& lease) { meters_[name] = make_meter(config_.name + "/" + name, lease, sink_); }

void RealDut::give_storage(const std::string& name, const StorageConfig& config, std::function<std::unique_ptr<BlockDevice>(Deadline)> open,
                           Lease* mux) {
  const std::string source = config_.name + "/" + name;
  storage_[name] =
      make_storage({source, std::move(open), config.appear, mux != nullptr ? make_output(source + "-mux", *mux, sink_) : nullptr});
}

Error RealDut::missing(const std::string& role, const std::string& name, const std::vector<std::string>& there) const {
  std::string list;
  for (const auto& other : there) list += (list.empty() ? "" : ", ") + other;
  return {ErrorKind::NotFound, "dut '" + config_.name + "'", "has no " + role + (name.empty() ? "" : " '" + name + "'") + " on this bench",
          list.empty() ? "add it to the DUT in lab-config" : "choose one of: " + list + "; or add it in lab-config"};
}

PowerPort& RealDut::power() {
  if (!power_) throw missing("power", "", {});
  return *power_;
}
Console& RealDut::console(const std::string& name) {
  const auto found = consoles_.find(name);
  if (found == consoles_.end()) throw missing("console", name, names_of(consoles_));
  return *found->second;
}
Button& RealDut::button(const std::string& name) {
  const auto found = buttons_.find(name);
  if (found == buttons_.end()) throw missing("button", name, names_of(buttons_));
  return *found->second;
}
DigitalOutput& RealDut::output(const std::string& name) {
  const auto found = outputs_.find(name);
  if (found == outputs_.end()) throw missing("output", name, names_of(outputs_));
  return *found->second;
}
DigitalInput& RealDut::input(const std::string& name) {
  const auto found = inputs_.find(name);
  if (found == inputs_.end()) throw missing("input", name, names_of(inputs_));
  return *found->second;
}

UsbPort& RealDut::usb() {
  if (usb_ == nullptr) throw missing("usb", "", {});
  return *usb_;
}

NetworkPort& RealDut::network() {
  if (network_ == nullptr) throw missing("network", "", {});
  return *network_;
}

Meter& RealDut::meter(const std::string& name) {
  const auto found = meters_.find(name);
  if (found == meters_.end()) throw missing("meter", name, names_of(meters_));
  return *found->second;
}

std::vector<SwitchResult> RealDut::set_together(const std::vector<std::string>& names, bool asserted, Deadline deadline) {
  std::vector<Lease*> leases;
  for (const auto& name : names) {
    const auto button = button_leases_.find(name), output = output_leases_.find(name);
    if (button == button_leases_.end() && output == output_leases_.end()) {
      auto there = names_of(button_leases_);
      for (const auto& other : names_of(output_leases_)) there.push_back(other);
      throw missing("button or output", name, there);
    }
    leases.push_back(button != button_leases_.end() ? button->second : output->second);
  }
  std::vector<SwitchResult> results;
  try {
    results = keeper_.set_together(leases, asserted, nlohmann::json::object(), deadline);
  } catch (...) {
    for (auto* lease : leases) {
      try {
        if (asserted) lease->set(false, nlohmann::json::object(), Deadline::in(2s));
      } catch (const std::exception&) {
        continue;  // the lease's end brings it to its safe state, and what was wrong is told already
      }
    }
    throw;
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    emit_line(config_.name + "/" + names[i], button_leases_.contains(names[i]), asserted, results[i], sink_);
  return results;
}

Storage& RealDut::storage(const std::string& name) {
  const auto found = storage_.find(name);
  if (found == storage_.end()) throw missing("storage", name, names_of(storage_));
  return *found->second;
}

Console* RealDut::main_console() {
  const auto found = consoles_.find("main");
  return found == consoles_.end() ? nullptr : found->second;
}

// Each of them, whatever is wrong with another; the first error is thrown when all know.
void RealDut::tell_consoles(const std::function<void(Console&)>& what) {
  std::exception_ptr wrong;
  for (auto& [name, console] : consoles_) {
    try {
      what(*console);
    } catch (...) {
      if (!wrong) wrong = std::current_exception();
    }
  }
  if (wrong) std::rethrow_exception(wrong);
}

void RealDut::before_on() {
  tell_consoles([](Console& console) { console.power_changed(true); });
  again_ = on_asked_.has_value();
  if (again_) return;  // an `on` made again after an interrupt: the boot may have begun with the first
  on_asked_ = real_clock().now();
  offset_before_on_ = main_console() != nullptr ? main_console()->mark() : 0;
}
void RealDut::after_on(const SwitchResult& result) {
  const bool already = result.details.value("already", false);
  if (!already || again_) {
    starved_before_ = {};  // power-on is a new emulator
    begin_boot("power", already ? *on_asked_ : result.commanded);
  }
  on_asked_.reset();
  if (!already) tell_consoles([&](Console& console) { console.power_came(result.commanded); });
}
void RealDut::before_off(SteadyTime when) {
  tell_consoles([when](Console& console) { console.power_going(when); });
}
void RealDut::after_off() {
  off_at_ = real_clock().now();
  on_asked_.reset();
  tell_consoles([](Console& console) { console.power_changed(false); });
}
void RealDut::off_failed() {
  tell_consoles([](Console& console) { console.power_going({}); });
}

void RealDut::leaving() {
  if (power_ && config_.power->safe_state == SafeState::Off) before_off(real_clock().now());
}

void RealDut::died(const Error& why) {
  for (auto& [name, console] : consoles_) console->fail(why);
}

void RealDut::begin_boot(const char* cause, SteadyTime at) {
  ++boot_number_;
  boot_cause_ = cause;
  off_at_.reset();
  boot_began_ = at;
  boot_ = {};
  boot_.begin_offset = offset_before_on_;
  sink_.emit(
      {at, real_clock().utc_now(), config_.name, "boot.begin", {{"boot", boot_number_}, {"cause", cause}, {"offset", boot_.begin_offset}}});
}

void RealDut::reset(Nanoseconds hold, Deadline deadline) {
  if (!reset_) throw missing("reset", "", {});
  tell_consoles([](Console& console) { console.power_changed(true); });
  try {
    reset_->set(true, deadline);  // one that failed may have been carried out all the same
    wait_until(Deadline(std::min(real_clock().now() + hold, deadline.at())));
  } catch (...) {
    // If that fails too, the first error is the one to tell: the lease's end brings the line to its safe state.
    try {
      reset_->set(false, Deadline::in(5s));
    } catch (const std::exception&) {  // told already
    }
    throw;
  }
  offset_before_on_ = main_console() != nullptr ? main_console()->mark() : 0;
  starved_before_ += starved_since_power_on();
  const auto released = reset_->set(false, Deadline(std::max(deadline.at(), real_clock().now() + 5s)));  // never left asserted
  begin_boot("reset", released.commanded);
}

std::uint64_t RealDut::next_stage_offset() const { return boot_.stages.empty() ? boot_.begin_offset : boot_.stages.back().span.end; }

void RealDut::reached(const BootStage& stage, const WatcherHit& hit) {
  const Nanoseconds elapsed = hit.at - boot_began_;
  boot_.stages.push_back({stage.name, elapsed, stage.deadline, elapsed <= stage.deadline, hit.span});
  sink_.emit({hit.at,
              real_clock().utc_now(),
              config_.name,
              "boot.stage",
              {{"boot", boot_number_},
               {"stage", stage.name},
               {"elapsed_s", seconds(elapsed)},
               {"limit_s", seconds(stage.deadline)},
               {"within", elapsed <= stage.deadline},
               {"begin", hit.span.begin},
               {"end", hit.span.end}}});
}

BootResult RealDut::boot_so_far() {
  const auto& stages = config_.board.boot_stages;
  auto* console = main_console();
  if (console == nullptr) throw missing("console", "main", {});
  // In order: a stage's pattern before the stage that precedes it does not count.
  for (bool again = true; again && boot_number_ > 0 && boot_.stages.size() < stages.size();) {
    again = false;
    const auto& next = stages[boot_.stages.size()];
    for (const auto& hit : console->hits_since(next_stage_offset()))
      if (hit.watcher == "stage:" + next.name) {
        reached(next, hit);
        again = true;
        break;
      }
  }
  boot_.complete = boot_.stages.size() == stages.size();
  boot_.missing = boot_.complete || stages.empty() ? "" : stages[boot_.stages.size()].name;
  return boot_;
}

BootResult RealDut::boot_to(const std::string& wanted, Deadline deadline) {
  const auto& stages = config_.board.boot_stages;
  const std::string object = "dut '" + config_.name + "'";
  if (stages.empty())
    throw Error(ErrorKind::Config, object, "its board declares no boot stages", "add `boot_stages:` to " + config_.board.file.string());
  const auto target = wanted.empty() ? std::prev(stages.end())
                                     : std::find_if(stages.begin(), stages.end(), [&](const auto& s) { return s.name == wanted; });
  if (target == stages.end()) {
    std::string list;
    for (const auto& stage : stages) list += (list.empty() ? "" : ", ") + stage.name;
    throw Error(ErrorKind::Config, object, "its board has no boot stage '" + wanted + "'", "choose one of: " + list);
  }
  if (boot_number_ == 0) throw Error(ErrorKind::Config, object, "was not powered on in this session", "call power.on() before boot_to()");
  boot_so_far();
  const auto goal = static_cast<std::size_t>(target - stages.begin()) + 1;
  while (boot_.stages.size() < goal) {
    const auto& next = stages[boot_.stages.size()];
    const Deadline limit(std::min(deadline.at(), boot_began_ + kPatience * next.deadline));
    try {
      reached(next, main_console()->wait_watcher("stage:" + next.name, next_stage_offset(), limit));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Timeout) throw error.while_doing("while booting " + object + " to '" + next.name + "'");
      break;
    }
  }
  boot_.complete = boot_.stages.size() >= goal;
  boot_.missing = boot_.complete ? "" : stages[boot_.stages.size()].name;
  explain_lateness(goal);
  main_console()->check_alive(boot_.begin_offset);  // a device that died on the way and started again did not boot
  main_console()->mark();
  return boot_;
}

// 0 for real hardware: nobody but itself keeps it waiting.
Nanoseconds RealDut::starved_since_power_on() {
  if (!power_) return {};
  const double total = power_->report(Deadline::in(5s)).value("starved_s", 0.0);
  return std::max(Nanoseconds{}, std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(total)) - starved_before_);
}

void RealDut::explain_lateness(std::size_t goal) {
  const bool late = std::any_of(boot_.stages.begin(), boot_.stages.end(), [](const StageTime& stage) { return !stage.within; });
  boot_.starved_only = false;
  if (!late && boot_.complete) return;
  boot_.starved = starved_since_power_on();
  const auto explained = [this](Nanoseconds elapsed, Nanoseconds limit) { return elapsed - boot_.starved <= limit; };
  boot_.starved_only = std::all_of(boot_.stages.begin(), boot_.stages.end(),
                                   [&](const StageTime& stage) { return explained(stage.since_power_on, stage.limit); });
  if (boot_.stages.size() < goal)
    boot_.starved_only =
        boot_.starved_only && explained(real_clock().now() - boot_began_, config_.board.boot_stages[boot_.stages.size()].deadline);
  sink_.emit(make_event(
      config_.name, "boot.late",
      {{"boot", boot_number_}, {"missing", boot_.missing}, {"starved_s", seconds(boot_.starved)}, {"starved_only", boot_.starved_only}}));
}

}  // namespace hilcop
