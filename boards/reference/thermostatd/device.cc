// SPDX-License-Identifier: Apache-2.0
#include "device.h"

namespace ht1 {

using nlohmann::json;

Device::Device(Options with, Unit of, Seconds clock)
    : options(std::move(with)),
      unit(std::move(of)),
      now(std::move(clock)),
      started(now()),
      store(options.data / "sealed", unit.fuse_key, unit.flaws),
      log(options.data / "security.log", unit.flaws),
      login("login", store, unit.flaws, now),
      setup("setup", store, unit.flaws, now),
      sessions(unit.flaws, now) {}

json Device::record(const std::string& name) const {
  const auto text = store.get(name);
  return text ? json::parse(*text, nullptr, false) : json();
}

Settings Device::settings() const {
  const json kept = record("settings");
  if (!kept.is_object()) return {};
  return {kept.value("telemetry", false), kept.value("auto_update", true), kept.value("ever_consented", false)};
}

void Device::keep(const Settings& settings) {
  const bool ever = settings.ever_consented || settings.telemetry;
  store.put("settings", json{{"telemetry", settings.telemetry}, {"auto_update", settings.auto_update}, {"ever_consented", ever}}.dump());
}

bool Device::may_send_telemetry() const {
  const auto kept = settings();
  if (unit.flaws.has("telemetry-before-consent") && !set_up()) return true;
  if (unit.flaws.has("optout-ignored") && kept.ever_consented) return true;
  return kept.telemetry;
}

std::string Device::serial() const {
  if (unit.flaws.has("identity-writable"))
    if (const auto identity = record("identity"); identity.is_object()) return identity.value("serial", unit.serial);
  return unit.serial;
}

void Device::forget() {
  login.reload();
  setup.reload();
  sessions.close_all();
  if (heating != nullptr) heating->forget();
}

}  // namespace ht1
