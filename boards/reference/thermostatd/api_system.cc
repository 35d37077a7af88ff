// SPDX-License-Identifier: Apache-2.0
// The device itself: updates and the security log.
#include "api.h"
#include "json_input.h"

namespace ht1 {
namespace {

using nlohmann::json;

json status(Device& device) {
  json body = device.services.update_status();
  body["auto"] = device.settings().auto_update;
  body["version"] = device.options.version;
  return body;
}

Reply get_update(Device& device, const HttpRequest&) { return {200, status(device)}; }

Reply put_update(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  auto settings = device.settings();
  settings.auto_update = Fields(body, {"auto"}).boolean("auto");
  device.keep(settings);
  device.log.add("update-setting", settings.auto_update ? "automatic" : "by hand");
  device.services.settings_changed();
  return {200, status(device)};
}

Reply check(Device& device, const HttpRequest&) {
  device.services.check_update();
  return {202, status(device)};
}

Reply install(Device& device, const HttpRequest&) {
  device.services.install_update();
  return {202, status(device)};
}

Reply log(Device& device, const HttpRequest&) { return {200, device.log.read()}; }

constexpr Call kSystemCalls[] = {
    {"GET", "/api/update", Call::LoggedIn, get_update},
    {"PUT", "/api/update", Call::LoggedIn, put_update},
    {"POST", "/api/update/check", Call::LoggedIn, check},
    {"POST", "/api/update/install", Call::LoggedIn, install},
    {"GET", "/api/log", Call::LoggedIn, log},
};

}  // namespace

std::span<const Call> system_calls() { return kSystemCalls; }

}  // namespace ht1
