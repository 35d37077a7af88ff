// SPDX-License-Identifier: Apache-2.0
// The user's data: seen, changed, taken along, brought back; and what may be sent to the maker.

#include <chrono>

#include "api.h"
#include "error.h"
#include "files.h"
#include "json_input.h"
#include "process.h"
#include "user_data.h"

namespace ht1 {
namespace {

using nlohmann::json;

volatile int never_set = 0;  // what the flaw's endless loop looks at

User kept_user(const Device& device) {
  const json kept = device.record("user");
  if (!kept.is_object()) return {"", "", device.unit.model};
  return {kept.value("name", ""), kept.value("email", ""), kept.value("device_name", device.unit.model)};
}

// The name goes to a program as one argument; the flaw pastes it into a shell's line.
void announce(const Device& device, const std::string& name) {
  if (device.unit.flaws.has("shell-in-device-name"))
    run_program({"/bin/sh", "-c", device.options.hostname_program + " " + name}, std::chrono::seconds(10));
  else
    run_program({device.options.hostname_program, name}, std::chrono::seconds(10));
}

void keep_user(Device& device, const User& user) {
  if (device.unit.flaws.has("hang-on-long-name") && user.device_name.size() > 64)
    while (never_set == 0) {
    }
  device.store.put("user", to_json(user).dump());
  announce(device, user.device_name);
}

Reply get_user(Device& device, const HttpRequest&) { return {200, to_json(kept_user(device))}; }

Reply put_user(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  const User user = user_from_json(body, device.unit.flaws);
  keep_user(device, user);
  if (device.unit.flaws.has("identity-writable") && body.contains("serial"))
    device.store.put("identity",
                     json{{"serial", Fields(body, {"name", "email", "device_name", "serial", "mac"}).text("serial", 32)}}.dump());
  return {200, to_json(user)};
}

Reply export_settings(Device& device, const HttpRequest&) {
  device.log.add("export");
  return {200,
          {{"format", "ht1-settings 1"},
           {"files", {{"schedule.json", to_json(device.heating->schedule()).dump()}, {"user.json", to_json(kept_user(device)).dump()}}}}};
}

Reply import_settings(Device& device, const HttpRequest& request) {
  const Import import = import_from_json(request.body, device.unit.flaws);
  if (import.schedule) {
    device.store.put("schedule", to_json(*import.schedule).dump());
    device.heating->set_schedule(*import.schedule);
  }
  if (import.user) keep_user(device, *import.user);
  for (const auto& [name, content] : import.others) {  // only with its flaw: wherever the name leads
    std::filesystem::create_directories(device.options.data / "import");
    write_file(device.options.data / "import" / name, content);
  }
  device.log.add("import");
  return {};
}

Reply get_consent(Device& device, const HttpRequest&) { return {200, {{"telemetry", device.settings().telemetry}}}; }

Reply put_consent(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  auto settings = device.settings();
  settings.telemetry = Fields(body, {"telemetry"}).boolean("telemetry");
  device.keep(settings);
  device.log.add("consent", settings.telemetry ? "telemetry on" : "telemetry off");
  device.services.settings_changed();
  return {200, {{"telemetry", settings.telemetry}}};
}

constexpr Call kUserCalls[] = {
    {"GET", "/api/user", Call::LoggedIn, get_user},          {"PUT", "/api/user", Call::LoggedIn, put_user},
    {"GET", "/api/export", Call::LoggedIn, export_settings}, {"POST", "/api/import", Call::LoggedIn, import_settings},
    {"GET", "/api/consent", Call::LoggedIn, get_consent},    {"PUT", "/api/consent", Call::LoggedIn, put_consent},
};

}  // namespace

std::span<const Call> user_calls() { return kUserCalls; }

}  // namespace ht1
