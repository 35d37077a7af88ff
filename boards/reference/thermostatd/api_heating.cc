// SPDX-License-Identifier: Apache-2.0
// What the thing is for: temperature, target, schedule.
#include <cmath>
#include <ctime>

#include "api.h"
#include "json_input.h"

namespace ht1 {
namespace {

using nlohmann::json;

Reply state(Device& device, const HttpRequest&) {
  const auto heating = device.heating->state();
  return {200,
          {{"temperature", heating.celsius},
           {"target", heating.target},
           {"heating", heating.heating},
           {"version", device.options.version},
           {"slot", device.options.slot},
           {"uptime_s", static_cast<long>(device.now() - device.started)},
           {"cloud", device.services.cloud_state()}}};
}

Reply set_target(Device& device, const HttpRequest& request) {
  const json body = parse_input(request.body, device.unit.flaws);
  const double celsius = Fields(body, {"celsius"}).number("celsius", 5, 30);
  device.store.put("target", json{{"celsius", celsius}, {"minute", std::time(nullptr) / 60}}.dump());
  device.heating->set_target(celsius);
  return {200, {{"target", celsius}}};
}

Reply schedule(Device& device, const HttpRequest&) { return {200, to_json(device.heating->schedule())}; }

Reply set_schedule(Device& device, const HttpRequest& request) {
  const auto wanted = schedule_from_json(parse_input(request.body, device.unit.flaws));
  device.store.put("schedule", to_json(wanted).dump());
  if (!wanted.empty()) device.store.remove("target");  // it rules from now on, and after a start too
  device.heating->set_schedule(wanted);
  return {200, to_json(wanted)};
}

constexpr Call kHeatingCalls[] = {
    {"GET", "/api/state", Call::LoggedIn, state},
    {"PUT", "/api/target", Call::LoggedIn, set_target},
    {"GET", "/api/schedule", Call::LoggedIn, schedule},
    {"PUT", "/api/schedule", Call::LoggedIn, set_schedule},
};

}  // namespace

std::span<const Call> heating_calls() { return kHeatingCalls; }

}  // namespace ht1
