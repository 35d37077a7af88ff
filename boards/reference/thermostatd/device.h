// SPDX-License-Identifier: Apache-2.0
// What the parts of the device share: its records and the doors to its services. One mutex for all calls of the API; the control loop has
// its own.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "heating.h"
#include "lockout.h"
#include "options.h"
#include "sealed_store.h"
#include "security_log.h"
#include "sessions.h"
#include "unit.h"

namespace ht1 {

// What others do for the API; a test gives its own.
struct Services {
  std::function<std::string()> cloud_state = [] { return "down"; };
  std::function<nlohmann::json()> update_status = [] { return nlohmann::json{{"state", "idle"}}; };
  std::function<void()> settings_changed = [] {};  // set-up, consent or update settings: whoever waits looks again
  std::function<void()> check_update = [] {};
  std::function<void()> install_update = [] {};
  std::function<void()> factory_reset = [] {};
  std::function<void(const std::string&)> console = [](const std::string&) {};
};

struct Settings {
  bool telemetry = false, auto_update = true, ever_consented = false;
};

class Device {
 public:
  Device(Options with, Unit of, Seconds now);

  bool set_up() const { return store.get("password").has_value(); }
  Settings settings() const;
  void keep(const Settings& settings);
  bool may_send_telemetry() const;
  nlohmann::json record(const std::string& name) const;  // null when it is not there
  std::string serial() const;                            // what it tells the world it is
  // After an erase: nothing in memory that is not on flash.
  void forget();

  const Options options;
  const Unit unit;
  const Seconds now;
  const double started;
  SealedStore store;
  SecurityLog log;
  Lockout login, setup;
  Sessions sessions;
  std::mutex mutex;
  std::atomic<bool> erasing{false};      // a factory reset: nothing is kept any more; set under the mutex
  std::atomic<unsigned> calls_ended{0};  // of the API
  Services services;
  Heating* heating = nullptr;
};

}  // namespace ht1
