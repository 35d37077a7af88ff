// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctime>
#include <thread>

#include <fmt/format.h>

namespace hilcop {
namespace {

class RealClock final : public Clock {
 public:
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  UtcTime utc_now() const override { return std::chrono::system_clock::now(); }
  void sleep_until(SteadyTime when) override { std::this_thread::sleep_until(when); }
};

}  // namespace

Clock& real_clock() {
  static RealClock clock;
  return clock;
}

std::string to_iso8601(UtcTime t) {
  const auto ns = t.time_since_epoch().count();
  auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  auto fraction = ns % 1'000'000'000;
  if (fraction < 0) {
    fraction += 1'000'000'000;
    --seconds;
  }
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                     parts.tm_min, parts.tm_sec, fraction);
}

}  // namespace hilcop
