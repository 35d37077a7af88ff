// SPDX-License-Identifier: Apache-2.0
#include "schedule.h"

#include <algorithm>
#include <cmath>

#include "error.h"
#include "json_input.h"

namespace ht1 {
namespace {

constexpr std::size_t kMostEntries = 42;

int week_minute(const ScheduleEntry& entry) { return entry.day * 1440 + entry.minute; }

int minute_of(const std::string& at) {
  const auto digit = [&](std::size_t i) { return at[i] >= '0' && at[i] <= '9' ? at[i] - '0' : 100; };
  if (at.size() == 5 && at[2] == ':') {
    const int hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
    if (hour < 24 && minute < 60) return hour * 60 + minute;
  }
  throw Refusal(400, "'at' has to be a time as 06:30");
}

}  // namespace

Schedule schedule_from_json(const nlohmann::json& json) {
  if (!json.is_array()) throw Refusal(400, "a schedule is an array of entries");
  if (json.size() > kMostEntries) throw Refusal(400, "a schedule has at most 42 entries");
  Schedule schedule;
  for (const auto& one : json) {
    const Fields fields(one, {"day", "at", "celsius"});
    const double day = fields.number("day", 0, 6);
    if (day != std::floor(day)) throw Refusal(400, "'day' has to be a whole number from 0 to 6");
    schedule.push_back({static_cast<int>(day), minute_of(fields.text("at", 5)), fields.number("celsius", 5, 30)});
  }
  std::sort(schedule.begin(), schedule.end(), [](const auto& a, const auto& b) { return week_minute(a) < week_minute(b); });
  const auto twice =
      std::adjacent_find(schedule.begin(), schedule.end(), [](const auto& a, const auto& b) { return week_minute(a) == week_minute(b); });
  if (twice != schedule.end()) throw Refusal(400, "two entries of the schedule are for the same moment");
  return schedule;
}

nlohmann::json to_json(const Schedule& schedule) {
  auto all = nlohmann::json::array();
  for (const auto& entry : schedule) {
    const auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
    all.push_back({{"day", entry.day}, {"at", two(entry.minute / 60) + ":" + two(entry.minute % 60)}, {"celsius", entry.celsius}});
  }
  return all;
}

std::optional<double> wanted_at(const Schedule& schedule, int day, int minute) {
  if (schedule.empty()) return std::nullopt;
  const int now = day * 1440 + minute;
  double wanted = schedule.back().celsius;  // before the week's first entry, the last of the week before counts
  for (const auto& entry : schedule)
    if (week_minute(entry) <= now) wanted = entry.celsius;
  return wanted;
}

bool began_within(const Schedule& schedule, int day, int minute, long minutes) {
  constexpr long kWeek = 7 * 1440;
  return std::any_of(schedule.begin(), schedule.end(),
                     [&](const ScheduleEntry& entry) { return (day * 1440 + minute - week_minute(entry) + kWeek) % kWeek < minutes; });
}

}  // namespace ht1
