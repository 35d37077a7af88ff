// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bench/calibration.h"
#include "bench/lease_lock.h"
#include "bench/selftest_record.h"
#include "io/device_users.h"

namespace hilcop {
namespace {

using nlohmann::json;

json holder_json(const std::optional<LeaseHolder>& holder) {
  return holder ? json{{"holder", holder->holder}, {"pid", holder->pid}, {"since", holder->since}} : json();
}

// null: no keeper runs, so nothing is held. Throws Error where one runs but does not say what is held.
json keeper_status() {
  try {
    KeeperClient::Options options;
    options.start_on_demand = false;
    return KeeperClient::connect(options, Deadline::in(2s))->status(Deadline::in(2s));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::Disconnected) return nullptr;
    throw error.while_doing("to ask who holds what");
  }
}

class State {
 public:
  State(const BenchConfig& bench, DriverTable drivers) : bench_(bench), drivers_(drivers), status_(keeper_status()) {}

  json collect() const {
    json all{{"bench", bench_.name},
             {"file", bench_.file.string()},
             {"keeper", status_.is_null() ? "does not run" : "runs"},
             {"held", status_.is_null() ? json::array() : status_}};
    for (const char* list : {"duts", "consoles", "supplies", "instruments"}) all[list] = json::array();
    for (const auto& [name, config] : bench_.duts) {
      all["duts"].push_back(dut(config));
      for (const auto& [console, role] : config.consoles) all["consoles"].push_back(console_of(name, console, role));
    }
    for (const auto& [name, stagger] : bench_.supplies) all["supplies"].push_back(supply(name, stagger));
    for (const auto& [name, config] : bench_.instruments) all["instruments"].push_back(instrument(config));
    return all;
  }

 private:
  std::string identity_of(const std::string& instrument) const {
    const auto& config = bench_.instruments.at(instrument);
    return find_driver(drivers_, config.driver)->identity(config);
  }

  // What the keeper says of a channel; an empty object if it knows nothing.
  json channel_of(const RoleConfig& role) const {
    const auto identity = identity_of(role.instrument);
    if (status_.is_array())
      for (const auto& entry : status_)
        if (entry.value("instrument", "") == identity && entry.value("channel", "") == role.channel) return entry;
    return json::object();
  }

  json dut(const DutConfig& config) const {
    json stages = json::array();
    for (const auto& stage : config.board.boot_stages) stages.push_back(stage.name);
    json entry{{"name", config.name},
               {"board", config.board.name},
               {"serial_number", config.serial_number},
               {"boot_stages", stages},
               {"power", nullptr},
               {"supply", nullptr},
               {"selftest", selftest_state(bench_, config.name)},
               {"power_timing", nullptr},
               {"held_by", holder_json(lease_holder("dut:" + bench_.name + "/" + config.name))}};
    if (!config.power) return entry;
    if (const auto found = find_calibration(calibration_key(bench_, config, drivers_))) entry["power_timing"] = to_json(*found);
    const auto& first = config.power->poles.front().role;
    const auto known = channel_of(first);
    auto on = known.value("on", json());
    for (const auto& pole : config.power->poles)  // it has power while all are closed
      if (const auto other = channel_of(pole.role).value("on", json()); on == true && other != true) on = other;
    entry["power"] = {{"instrument", first.instrument},
                      {"channel", first.channel},
                      {"state", on.is_boolean() ? (on == true ? "on" : "off") : "unknown"},
                      {"waits_to_switch_on", known.value("waits_to_switch_on", false)},
                      {"switch_count", known.value("switch_count", json())},
                      {"rated_switches", config.power->rated_switches}};
    if (!config.power->supply.empty()) entry["supply"] = config.power->supply;
    return entry;
  }

  json console_of(const std::string& dut, const std::string& name, const RoleConfig& role) const {
    const bool kept = find_driver(drivers_, bench_.instruments.at(role.instrument).driver)->open != nullptr;
    return {{"dut", dut},
            {"name", name},
            {"instrument", role.instrument},
            {"channel", role.channel},
            {"held_by",
             kept ? channel_of(role).value("held_by", json()) : holder_json(lease_holder("console:" + identity_of(role.instrument)))}};
  }

  json supply(const std::string& name, Nanoseconds stagger) const {
    json entry{{"name", name}, {"stagger_ms", std::chrono::duration<double, std::milli>(stagger).count()}, {"duts", json::array()}};
    entry["waiting"] = json::array();
    for (const auto& [dut, config] : bench_.duts) {
      if (!config.power || config.power->supply != name) continue;
      entry["duts"].push_back(dut);
      if (channel_of(config.power->poles.front().role).value("waits_to_switch_on", false)) entry["waiting"].push_back(dut);
    }
    return entry;
  }

  json instrument(const InstrumentConfig& config) const {
    const auto identity = identity_of(config.name);
    json entry{{"name", config.name}, {"driver", config.driver}, {"identity", identity}, {"channels", json::array()}};
    if (status_.is_array())
      for (const auto& channel : status_)
        if (channel.value("instrument", "") == identity) entry["channels"].push_back(channel);
    if (find_driver(drivers_, config.driver)->open_storage) entry["held_by"] = holder_json(lease_holder("storage:" + identity));
    // Only a node of the file system can be looked at without opening what it stands for.
    if (identity.starts_with('/')) entry.update(node(identity));
    if (identity.find("usb-serial:") != std::string::npos)
      entry.update(
          {{"there", false}, {"accessible", false}, {"open_by", ""}, {"problem", "no serial port of this host fits, or several do"}});
    return entry;
  }

  static json node(const std::string& path) {
    json about{{"there", false}, {"accessible", false}, {"open_by", ""}, {"problem", ""}};
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      about["problem"] = std::strerror(errno);
      return about;
    }
    about["there"] = true;
    about["accessible"] = ::access(path.c_str(), R_OK | W_OK) == 0;
    if (!S_ISCHR(info.st_mode))
      about["problem"] = "is no device";
    else if (about["accessible"] == false)
      about["problem"] = "no access for this user (lab-config/README.md, 'Access')";
    else
      about["open_by"] = other_users_of(info.st_rdev);
    return about;
  }

  const BenchConfig& bench_;
  DriverTable drivers_;
  json status_;
};

}  // namespace

json bench_state(const BenchConfig& bench, DriverTable drivers) { return State(bench, drivers).collect(); }

}  // namespace hilcop
