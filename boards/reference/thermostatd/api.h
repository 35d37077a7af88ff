// SPDX-License-Identifier: Apache-2.0
// The calls of the local API: who may do what, and what is answered.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "device.h"
#include "http_server.h"

namespace ht1 {

struct Reply {
  unsigned status = 200;
  nlohmann::json body = nlohmann::json::object();
};

struct Call {
  const char* method;
  const char* path;
  enum Access { Open, LoggedIn } access;
  Reply (*handle)(Device&, const HttpRequest&);
};

// By area; api.cc has the table of them all.
std::span<const Call> access_calls();
std::span<const Call> heating_calls();
std::span<const Call> user_calls();
std::span<const Call> system_calls();

// Refusals and failures become answers here; a failure's reason goes to the console, not to the client.
HttpResponse answer_call(Device& device, const HttpRequest& request);

std::string_view web_page();

}  // namespace ht1
