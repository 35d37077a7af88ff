// SPDX-License-Identifier: Apache-2.0
// The user's own data: name, e-mail, what the device is called; and settings as files, out and in.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "flaws.h"
#include "schedule.h"

namespace ht1 {

struct User {
  std::string name, email, device_name;
};

// Refusal 400: name and e-mail at most 100 bytes; the device's name is 1 to 32 letters, digits, spaces, - or _.
User user_from_json(const nlohmann::json& json, const Flaws& flaws);
nlohmann::json to_json(const User& user);

struct Import {
  std::optional<Schedule> schedule;
  std::optional<User> user;
  std::map<std::string, std::string> others;  // names that are not known: empty in a sound device, which refuses them
};

// All of it is checked before any of it counts.
Import import_from_json(const std::string& text, const Flaws& flaws);

}  // namespace ht1
