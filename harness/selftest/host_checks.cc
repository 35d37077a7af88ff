// SPDX-License-Identifier: Apache-2.0
#include "selftest/host_checks.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace hilcop {
namespace {

constexpr Nanoseconds kJump = 50ms;
constexpr double kDrift = 1e-3;                    // twice what Linux lets NTP slew: 500 ppm, adjtimex(2)
constexpr std::int64_t kEarliest = 1'750'000'000;  // s: this program was written later
constexpr std::int64_t kLatest = 4'102'444'800;    // 2100
constexpr std::uint64_t kFewestFiles = 1000;

SelftestItem clock_item(SelftestGrade grade, const std::string& object, std::string text) {
  return {"clock", "", object, grade, std::move(text)};
}

}  // namespace

std::vector<SelftestItem> ClockCheck::items() const {
  std::vector<SelftestItem> items;
  const Nanoseconds steady = clock_.now() - steady_, utc = clock_.utc_now() - utc_, apart = utc - steady;
  const double apart_ms = std::chrono::duration<double, std::milli>(apart).count();
  const auto allowed = kJump + std::chrono::duration_cast<Nanoseconds>(kDrift * std::chrono::duration<double>(steady));
  const bool together = steady >= 0ns && std::chrono::abs(apart) <= allowed;
  items.push_back(clock_item(
      together ? SelftestGrade::Pass : SelftestGrade::Fail, "UTC against the steady clock",
      together ? fmt::format("{:+.1f} ms apart after {:.1f} s", apart_ms, std::chrono::duration<double>(steady).count())
               : fmt::format(
                     "UTC jumped by {:+.1f} ms within {:.1f} s: evidence of two hosts could not be joined; see what sets this host's clock",
                     apart_ms, std::chrono::duration<double>(steady).count())));
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.utc_now().time_since_epoch()).count();
  const bool possible = now >= kEarliest && now <= kLatest;
  items.push_back(clock_item(possible ? SelftestGrade::Pass : SelftestGrade::Fail, "date",
                             to_iso8601(clock_.utc_now()).substr(0, 19) + "Z" + (possible ? "" : " cannot be: set this host's clock")));
  timex state{};
  const int said = kernel_(&state);
  if (said < 0)
    items.push_back(clock_item(SelftestGrade::NotProved, "NTP", fmt::format("the kernel does not tell: {}", std::strerror(errno))));
  else if (said == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    items.push_back(
        clock_item(SelftestGrade::Warning, "NTP",
                   "nothing keeps this host's UTC right: times of day in evidence are only as good as its own clock; run an NTP client"));
  else
    items.push_back(clock_item(SelftestGrade::Pass, "NTP",
                               fmt::format("the clock is kept right, to within {} ms as the kernel says", state.maxerror / 1000)));
  return items;
}

SelftestItem check_disk(const std::string& what, const std::filesystem::path& directory, std::uint64_t least) {
  SelftestItem item{"disk space", "", what, SelftestGrade::Fail, ""};
  std::error_code failed;
  auto there = std::filesystem::absolute(directory, failed);
  while (!std::filesystem::exists(there, failed) && there.has_parent_path() && there != there.parent_path()) there = there.parent_path();
  struct statvfs space {};
  if (::statvfs(there.c_str(), &space) != 0) {
    item.text = there.string() + ": " + std::strerror(errno);
    return item;
  }
  const std::uint64_t free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  const auto mib = [](std::uint64_t bytes) { return bytes / (1024 * 1024); };
  if (free < least)
    item.text = fmt::format("{} MiB free at {}, at least {} are wanted: a recording would end in the middle; free some", mib(free),
                            there.string(), mib(least));
  else if (space.f_files != 0 && space.f_favail < kFewestFiles)
    item.text = fmt::format("{} has room for {} files only: remove some", there.string(), static_cast<std::uint64_t>(space.f_favail));
  else
    item.grade = SelftestGrade::Pass, item.text = fmt::format("{} MiB free", mib(free));
  return item;
}

}  // namespace hilcop
