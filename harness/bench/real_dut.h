// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bench/bench.h"
#include "bench/kept_roles.h"

namespace hilcop {

/// A Dut over leases and consoles that its Bench has opened; the Bench owns both and outlives it.
class RealDut final : public Dut, private PowerListener {
 public:
  /// `record_dir`: where its consoles are recorded; empty: nowhere.
  RealDut(const DutConfig& config, std::filesystem::path record_dir, KeeperClient& keeper, EventSink& sink)
      : config_(config), record_dir_(std::move(record_dir)), keeper_(keeper), sink_(sink) {}

  void give_power(std::vector<Lease*> poles);
  void give_reset(Lease& lease);
  void give_usb(UsbPort& port) { usb_ = &port; }
  void give_network(NetworkPort& port) { network_ = &port; }
  void give_console(const std::string& name, Console& console) { consoles_[name] = &console; }
  void give_button(const std::string& name, Lease& lease);
  void give_output(const std::string& name, Lease& lease);
  void give_input(const std::string& name, Lease& lease);
  void give_meter(const std::string& name, Lease& lease);
  /// `mux`: nullptr where it has none.
  void give_storage(const std::string& name, const StorageConfig& config, std::function<std::unique_ptr<BlockDevice>(Deadline)> open,
                    Lease* mux);

  void give_power_timing(nlohmann::json timing) { power_timing_ = std::move(timing); }

  const DutConfig& config() const override { return config_; }
  nlohmann::json power_timing() const override { return power_timing_; }
  PowerPort& power() override;
  Console& console(const std::string& name) override;
  Button& button(const std::string& name) override;
  DigitalOutput& output(const std::string& name) override;
  DigitalInput& input(const std::string& name) override;
  UsbPort& usb() override;
  NetworkPort& network() override;
  Meter& meter(const std::string& name) override;
  std::vector<SwitchResult> set_together(const std::vector<std::string>& names, bool asserted, Deadline deadline) override;
  Storage& storage(const std::string& name) override;
  EventSink& events() override { return sink_; }
  void reset(Nanoseconds hold, Deadline deadline) override;
  BootResult boot_to(const std::string& stage, Deadline deadline) override;
  BootResult boot_so_far() override;
  BootLog boot_log() override;

  /// Its power is about to go to its safe state for good: what that does to its consoles is no loss.
  void leaving();
  /// The machine behind this DUT is gone without a command of ours.
  void died(const Error& why);

 private:
  void before_on() override;
  void after_on(const SwitchResult& result) override;
  void before_off(SteadyTime when) override;
  void after_off() override;
  void off_failed() override;
  Console* main_console() override;
  UsbPort* usb_port() override { return usb_; }
  DigitalInput& sensing_input(const std::string& name) override { return input(name); }
  Meter& sensing_meter(const std::string& name) override { return meter(name); }

  void tell_consoles(const std::function<void(Console&)>& what);
  Error missing(const std::string& role, const std::string& name, const std::vector<std::string>& there) const;
  void begin_boot(const char* cause, SteadyTime at);
  std::uint64_t next_stage_offset() const;
  Nanoseconds starved_since_power_on();
  void explain_lateness(std::size_t goal);
  void reached(const BootStage& stage, const WatcherHit& hit);

  const DutConfig& config_;
  std::filesystem::path record_dir_;
  KeeperClient& keeper_;
  EventSink& sink_;
  std::map<std::string, Console*> consoles_;
  UsbPort* usb_ = nullptr;
  NetworkPort* network_ = nullptr;
  std::unique_ptr<PowerPort> power_;
  std::unique_ptr<DigitalOutput> reset_;
  std::map<std::string, std::unique_ptr<Button>> buttons_;
  std::map<std::string, std::unique_ptr<DigitalOutput>> outputs_;
  std::map<std::string, std::unique_ptr<DigitalInput>> inputs_;
  std::map<std::string, std::unique_ptr<Meter>> meters_;
  std::map<std::string, Lease*> button_leases_, output_leases_;
  nlohmann::json power_timing_;
  std::map<std::string, std::unique_ptr<Storage>> storage_;
  int boot_number_ = 0;
  std::string boot_cause_;
  std::optional<SteadyTime> off_at_;  // power went off since the boot began
  SteadyTime boot_began_{};
  Nanoseconds starved_before_{};
  std::optional<SteadyTime> on_asked_;  // an `on` whose end was not heard: it may have switched
  bool again_ = false;
  std::uint64_t offset_before_on_ = 0;
  BootResult boot_;
};

}  // namespace hilcop
