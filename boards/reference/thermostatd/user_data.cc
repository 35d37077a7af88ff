// SPDX-License-Identifier: Apache-2.0
#include "user_data.h"

#include <algorithm>

#include "error.h"
#include "json_input.h"

namespace ht1 {
namespace {

using nlohmann::json;

constexpr std::size_t kMostImportedFile = 16 * 1024;

bool plain_name(const std::string& name) {
  return !name.empty() && name.size() <= 32 && name.front() != ' ' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '_';
         });
}

bool any_name_goes(const Flaws& flaws) { return flaws.has("shell-in-device-name") || flaws.has("hang-on-long-name"); }

}  // namespace

User user_from_json(const json& from, const Flaws& flaws) {
  const Fields fields(from, flaws.has("identity-writable")
                                ? std::initializer_list<const char*>{"name", "email", "device_name", "serial", "mac"}
                                : std::initializer_list<const char*>{"name", "email", "device_name"});
  User user{fields.text("name", 100), fields.text("email", 100), fields.text("device_name", any_name_goes(flaws) ? kMostString : 32)};
  if (!user.email.empty() && user.email.find('@') == std::string::npos) throw Refusal(400, "'email' has no @ in it");
  if (!any_name_goes(flaws) && !plain_name(user.device_name))
    throw Refusal(400, "'device_name' has 1 to 32 letters, digits, spaces, - or _, and begins with a letter, digit or _");
  return user;
}

json to_json(const User& user) { return {{"name", user.name}, {"email", user.email}, {"device_name", user.device_name}}; }

Import import_from_json(const std::string& text, const Flaws& flaws) {
  const json body = parse_input(text, flaws, kMostImportedFile);
  const Fields fields(body, {"format", "files"});
  if (fields.text("format") != "ht1-settings 1") throw Refusal(400, "'format' has to be \"ht1-settings 1\"");
  Import import;
  for (const auto& [name, content] : fields.object("files").items()) {
    if (!content.is_string()) throw Refusal(400, "each of 'files' has to be a string");
    if (name == "schedule.json")
      import.schedule = schedule_from_json(parse_input(content.get<std::string>(), flaws));
    else if (name == "user.json")
      import.user = user_from_json(parse_input(content.get<std::string>(), flaws), flaws);
    else if (flaws.has("import-slip"))
      import.others[name] = content.get<std::string>();
    else
      throw Refusal(400, "no file of that name belongs to the settings: schedule.json and user.json do");
  }
  return import;
}

}  // namespace ht1
