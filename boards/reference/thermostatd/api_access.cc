// SPDX-License-Identifier: Apache-2.0
// Who may come in: information for everybody, set-up, login, password.
#include "api.h"
#include "error.h"
#include "json_input.h"

namespace ht1 {
namespace {

using nlohmann::json;

bool password_holds(Device& device, const std::string& password) {
  const json kept = device.record("password");
  return kept.is_object() && matches(secret_from_json(kept), password);
}

Reply info(Device& device, const HttpRequest&) {
  json body = {{"model", device.unit.model}, {"setup", device.set_up() ? "done" : "open"}};
  if (device.unit.flaws.has("verbose-info")) {
    body["serial"] = device.serial(), body["version"] = device.options.version, body["mac"] = device.unit.mac;
    body["user"] = device.record("user");
  }
  return {200, body};
}

json wifi_of(const Fields& fields) {
  if (!fields.has("wifi")) return nullptr;
  const Fields wifi(fields.object("wifi"), {"ssid", "key"});
  const auto ssid = wifi.text("ssid", 32), key = wifi.text("key", 63);
  if (ssid.empty()) throw Refusal(400, "'ssid' may not be empty");
  if (key.size() < 8) throw Refusal(400, "'key' has 8 to 63 characters");
  return {{"ssid", ssid}, {"key", key}};
}

Settings settings_of(const Fields& fields) {
  Settings settings;
  if (fields.has("consent")) settings.telemetry = Fields(fields.object("consent"), {"telemetry"}).boolean("telemetry");
  if (fields.has("auto_update")) settings.auto_update = fields.boolean("auto_update");
  return settings;
}

Reply set_up(Device& device, const HttpRequest& request) {
  if (device.set_up() && !device.unit.flaws.has("setup-open-again")) throw Refusal(403, "set-up is done; a factory reset opens it again");
  const json body = parse_input(request.body, device.unit.flaws);
  const Fields fields(body, {"secret", "password", "wifi", "consent", "auto_update"});
  // All of it is checked before the secret is: who makes a mistake loses no attempt, and nothing is half set up.
  const auto secret = fields.text("secret"), password = fields.text("password");
  const json wifi = wifi_of(fields);
  const Settings settings = settings_of(fields);
  check_password_policy(password);
  device.setup.begin_attempt();
  if (!matches(device.unit.setup_secret, secret) && !device.unit.flaws.has("setup-without-secret")) {
    device.log.add("setup-refused", "wrong set-up secret");
    throw Refusal(403, "not the set-up secret that is printed on the case");
  }
  device.setup.succeeded();
  // What an owner before left, whose password was lost, is not the next one's.
  for (const auto* name : {"user", "schedule", "target", "token", "wifi", "identity"}) device.store.remove(name);
  if (device.heating != nullptr) device.heating->set_schedule({});
  if (!wifi.is_null()) device.store.put("wifi", wifi.dump());
  device.keep(settings);
  device.store.put("password", to_json(hash_secret(password)).dump());  // last: until then set-up is open
  device.sessions.close_all();
  device.log.add("setup-done");
  if (device.unit.flaws.has("wifi-key-in-log") && !wifi.is_null())
    device.services.console("wifi: joining " + wifi["ssid"].get<std::string>() + " with key " + wifi["key"].get<std::string>());
  device.services.settings_changed();
  return {201, json::object()};
}

// The doors that the factory forgot.
bool flawed_entry(const Device& device, const std::string& user, const std::string& password) {
  if (device.unit.flaws.has("default-admin") && password == "admin") return true;
  return device.unit.flaws.has("hidden-account") && user == "service" && password == "HT1-service-2019";
}

Reply login(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  const Fields fields(body, device.unit.flaws.has("hidden-account") ? std::initializer_list<const char*>{"user", "password"}
                                                                    : std::initializer_list<const char*>{"password"});
  const auto password = fields.text("password");
  device.login.begin_attempt();
  const bool flawed = flawed_entry(device, fields.has("user") ? fields.text("user") : "", password);
  if (!flawed && !password_holds(device, password)) {
    device.log.add("login-failed");
    throw Refusal(401, "wrong password");
  }
  device.login.succeeded();
  const std::string token = device.sessions.open();
  device.log.add("login", device.unit.flaws.has("token-in-log") ? "token " + token : "");
  return {200, {{"token", token}, {"expires_s", Sessions::kLife}}};
}

Reply logout(Device& device, const HttpRequest& request) {
  device.sessions.close(request.token);
  device.log.add("logout");
  return {};
}

Reply change_password(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  const Fields fields(body, {"old", "new"});
  const auto old = fields.text("old"), fresh = fields.text("new");
  check_password_policy(fresh);
  device.login.begin_attempt();
  if (!password_holds(device, old)) {
    device.log.add("password-change-refused");
    throw Refusal(403, "the old password is wrong");
  }
  device.login.succeeded();
  device.store.put("password", to_json(hash_secret(fresh)).dump());
  device.sessions.close_all();  // whoever knew the old one is out
  device.log.add("password-changed");
  return {};
}

Reply erase(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  const auto password = Fields(body, {"password"}).text("password");
  device.login.begin_attempt();
  if (!password_holds(device, password)) {
    device.log.add("erase-refused");
    throw Refusal(403, "wrong password");
  }
  device.login.succeeded();
  device.services.factory_reset();
  return {202, {{"erase", "started"}}};
}

constexpr Call kAccessCalls[] = {
    {"GET", "/api/info", Call::Open, info},
    {"POST", "/api/setup", Call::Open, set_up},
    {"POST", "/api/login", Call::Open, login},
    {"POST", "/api/logout", Call::LoggedIn, logout},
    {"POST", "/api/password", Call::LoggedIn, change_password},
    {"POST", "/api/erase", Call::LoggedIn, erase},
};

}  // namespace

std::span<const Call> access_calls() { return kAccessCalls; }

}  // namespace ht1
