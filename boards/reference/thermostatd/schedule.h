// SPDX-License-Identifier: Apache-2.0
// When which temperature is wanted, by the week.
#pragma once

#include <ctime>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

namespace ht1 {

struct ScheduleEntry {
  int day = 0;     // 0: Monday
  int minute = 0;  // of the day
  double celsius = 20;
};

using Schedule = std::vector<ScheduleEntry>;

// Refusal 400: at most 42 entries {"day": 0..6, "at": "06:30", "celsius": 5..30}, no two for one moment.
Schedule schedule_from_json(const nlohmann::json& json);
nlohmann::json to_json(const Schedule& schedule);
// What the last entry before this minute of the week says; nothing for an empty schedule.
std::optional<double> wanted_at(const Schedule& schedule, int day, int minute);
// Whether an entry began in the last so many minutes up to this one, the first of them not counted. A clock that was put back: none did.
bool began_within(const Schedule& schedule, int day, int minute, long minutes);

}  // namespace ht1
