// SPDX-License-Identifier: Apache-2.0
// A body of the API: JSON within its bounds, or a Refusal, and nothing else; what was taken is taken again when written out.
#include <cstdlib>

#include "thermostatd/error.h"
#include "thermostatd/json_input.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto taken = parse_input(text, Flaws());
    if (parse_input(taken.dump(), Flaws()) != taken) std::abort();
    const Fields fields(taken, {"password", "celsius", "telemetry", "wifi", "list"});
    for (const auto& [name, value] : taken.items()) {
      if (value.is_string() && fields.text(name.c_str()) != value) std::abort();
      if (value.is_number()) fields.number(name.c_str(), 5, 30);
      if (value.is_boolean()) fields.boolean(name.c_str());
      if (value.is_object()) fields.object(name.c_str());
    }
  } catch (const Refusal& refusal) {
    if (refusal.status() < 400 || refusal.status() > 499) std::abort();
  }
  return 0;
}
