// SPDX-License-Identifier: Apache-2.0
// Settings that are brought back, and the user's own data: a Refusal, or names that are safe to use.
#include <cstdlib>

#include "thermostatd/error.h"
#include "thermostatd/json_input.h"
#include "thermostatd/user_data.h"

using namespace ht1;

namespace {

void look_at(const User& user) {
  const bool fits = !user.device_name.empty() && user.device_name.size() <= 32 && user.name.size() <= 100 && user.email.size() <= 100;
  if (!fits || user.device_name.find_first_of("/;$`'\"\\\n|&<>") != std::string::npos || user.device_name[0] == '-') std::abort();
  if (to_json(user_from_json(to_json(user), Flaws())) != to_json(user)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto import = import_from_json(text, Flaws());
    if (!import.others.empty()) std::abort();
    if (import.user) look_at(*import.user);
  } catch (const Refusal&) {
  }
  try {
    look_at(user_from_json(parse_input(text, Flaws()), Flaws()));
  } catch (const Refusal&) {
  }
  return 0;
}
