// SPDX-License-Identifier: Apache-2.0
// A call of the local API: "METHOD PATH" or "METHOD PATH TOKEN" in the first line, the body after it; TOKEN "owner" is that of who is
// logged in. It is answered with JSON and no failure of the device, and who is not logged in gets nothing that is the owner's.
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "reference/thermostatd/rig.h"
#include "thermostatd/api.h"

using namespace ht1;

namespace {

struct Owned {
  ApiRig rig;
  std::string token;

  Owned() {
    rig.set_up();
    token = rig.login();
    if (token.empty()) std::abort();
  }
};

bool is_the_owners(std::string_view method, std::string_view path) {
  for (const auto calls : std::array{access_calls(), heating_calls(), user_calls(), system_calls()})
    for (const auto& call : calls)
      if (call.access == Call::LoggedIn && path == call.path && method == call.method) return true;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto owned = std::make_unique<Owned>();
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::string head = input.substr(0, input.find('\n')), body = input.substr(std::min(head.size() + 1, input.size()));
  const auto first = head.find(' '), second = head.find(' ', first == std::string::npos ? first : first + 1);
  if (first == std::string::npos) return 0;
  const std::string method = head.substr(0, first),
                    path = head.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  std::string token = second == std::string::npos ? "" : head.substr(second + 1);
  const bool by_owner = token == "owner";
  if (by_owner) token = owned->token;
  if (!by_owner && token == owned->token) return 0;

  owned->rig.now += 1;
  const auto answer = owned->rig.raw(method, path, body, token);
  if (answer.status < 200 || answer.status >= 500) std::abort();
  if (answer.type == "application/json" && nlohmann::json::parse(answer.body, nullptr, false).is_discarded()) std::abort();
  if (!by_owner && is_the_owners(method, path) && answer.status != 401) std::abort();
  // Whoever was thrown out by what he asked, or by time, starts anew.
  if (owned->rig.call("GET", "/api/state", nullptr, owned->token).status != 200) owned = std::make_unique<Owned>();
  return 0;
}
