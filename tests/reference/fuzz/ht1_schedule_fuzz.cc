// SPDX-License-Identifier: Apache-2.0
// A schedule: refused, or the same when it is read back; whatever the moment, it wants a temperature within its range.
#include <cstdlib>

#include "thermostatd/error.h"
#include "thermostatd/json_input.h"
#include "thermostatd/schedule.h"

using namespace ht1;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto schedule = schedule_from_json(parse_input({reinterpret_cast<const char*>(data), size}, Flaws()));
    if (to_json(schedule_from_json(to_json(schedule))) != to_json(schedule)) std::abort();
    for (int day = 0; day < 7; ++day)
      for (const int minute : {0, 390, 1439}) {
        const auto wanted = wanted_at(schedule, day, minute);
        if (wanted.has_value() == schedule.empty() || (wanted && !(*wanted >= 5 && *wanted <= 30))) std::abort();
      }
  } catch (const Refusal&) {
  }
  return 0;
}
