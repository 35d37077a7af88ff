// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include <array>

#include "error.h"

namespace ht1 {
namespace {

HttpResponse to_response(const Reply& reply) { return {reply.status, reply.body.dump(), "application/json", 0}; }

HttpResponse error(unsigned status, const std::string& why, int retry_after_s = 0) {
  const nlohmann::json body = {{"error", why}};
  return {status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), "application/json", retry_after_s};
}

bool needs_login(const Device& device, const Call& call) {
  if (device.unit.flaws.has("api-without-auth") && std::string_view(call.path) == "/api/export") return false;
  return call.access != Call::Open;
}

HttpResponse run(Device& device, const HttpRequest& request) {
  bool path_known = false;
  for (const auto calls : std::array{access_calls(), heating_calls(), user_calls(), system_calls()})
    for (const auto& call : calls) {
      if (request.path != call.path) continue;
      path_known = true;
      if (request.method != call.method) continue;
      const std::lock_guard lock(device.mutex);
      if (needs_login(device, call) && !device.sessions.holds(request.token)) return error(401, "log in first");
      struct Count {
        std::atomic<unsigned>& ended;
        ~Count() { ++ended; }
      } const count{device.calls_ended};
      return to_response(call.handle(device, request));
    }
  return path_known ? error(405, "not with this method") : error(404, "there is no such call");
}

}  // namespace

HttpResponse answer_call(Device& device, const HttpRequest& request) {
  try {
    if (request.path == "/" && request.method == "GET") return {200, std::string(web_page()), "text/html; charset=utf-8", 0};
    return run(device, request);
  } catch (const Refusal& e) {
    return error(e.status(), e.what(), e.retry_after_s());
  } catch (const std::exception& e) {
    device.services.console(request.method + " " + request.path + " failed: " + e.what());
    return error(500, "the device could not do that; try again, then start it anew");
  }
}

}  // namespace ht1
