// SPDX-License-Identifier: Apache-2.0
#include "console/boot_log.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include <fmt/format.h>

#include "console/boot_lines.h"

namespace hilcop {
namespace {

constexpr std::uint64_t kMostBytes = 64u << 20;
constexpr std::size_t kMostStamps = 4'000'000;
constexpr std::uint64_t kRecord = 24;  // docs/recording.md

struct Stamp {
  std::uint64_t offset;
  std::int64_t steady_ns;
};

// The part of an index that speaks of a span of the recording. What does not rise is no index: it ends there.
class StampIndex {
 public:
  StampIndex(const std::filesystem::path& path, ByteSpan span) : file_(path, std::ios::binary) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    if (!file_ || none) return;
    std::uint64_t low = 0, high = size / kRecord;  // the last record at or before the begin
    while (high - low > 1) {
      const auto middle = low + (high - low) / 2;
      const auto stamp = read(middle);
      (stamp && stamp->offset <= span.begin ? low : high) = middle;
    }
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(low * kRecord));
    while (true) {
      const auto stamp = next();
      if (!stamp || stamp->offset >= span.end) return;
      const bool rises = stamps_.empty() || (stamp->offset >= stamps_.back().offset && stamp->steady_ns >= stamps_.back().steady_ns);
      if (!rises || stamps_.size() == kMostStamps) break;
      stamps_.push_back(*stamp);
    }
    known_until_ = stamps_.back().offset;
  }

  std::optional<SteadyTime> at(std::uint64_t offset) const {
    const auto after = std::upper_bound(stamps_.begin(), stamps_.end(), offset, [](auto o, const Stamp& s) { return o < s.offset; });
    if (after == stamps_.begin() || offset > known_until_) return std::nullopt;
    return from_ns(std::prev(after)->steady_ns);
  }

 private:
  std::optional<Stamp> next() {
    std::uint64_t record[3];
    if (!file_.read(reinterpret_cast<char*>(record), sizeof record)) return std::nullopt;
    return Stamp{record[0], static_cast<std::int64_t>(record[1])};
  }
  std::optional<Stamp> read(std::uint64_t number) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(number * kRecord));
    return next();
  }

  std::ifstream file_;
  std::vector<Stamp> stamps_;
  std::uint64_t known_until_ = UINT64_MAX;
};

void take_times(BootLog& boot, const std::filesystem::path& index) {
  const StampIndex stamps(index, boot.span);
  for (auto& line : boot.lines)
    if (const auto at = stamps.at(line.span.begin)) line.since_power_on = std::max(Nanoseconds{}, *at - boot.begin);
}

}  // namespace

bool BootLog::complete() const { return !declared.empty() && missing().empty(); }

std::string BootLog::missing() const {
  const auto seen = [this](const std::string& name) {
    return std::any_of(stages.begin(), stages.end(), [&](const StageTime& stage) { return stage.stage == name; });
  };
  if (!declared.empty() && seen(declared.back())) return "";
  const auto first = std::find_if_not(declared.begin(), declared.end(), seen);
  return first == declared.end() ? "" : *first;
}

Nanoseconds BootLog::watched_after_ready() const {
  return complete() ? std::max(Nanoseconds{}, watched_until - begin - stages.back().since_power_on) : Nanoseconds{};
}

std::string BootLog::doubt() const {
  if (!damage.empty()) return damage.front();
  for (const auto& gap : gaps)
    if (gap.cause != "powered_off")
      return fmt::format("the recording has a gap ({}{}) at byte {}", gap.cause, gap.detail.empty() ? "" : ": " + gap.detail, gap.offset);
  if (declared.empty()) return "the board declares no boot stages: when a boot is complete is unknown";
  if (complete()) return "";
  return fmt::format("the boot {} before its stage '{}'",
                     ending == Ending::Cut       ? "was cut"
                     : ending == Ending::Stalled ? "stood still"
                                                 : "is not over, or its recording ends,",
                     missing());
}

std::string to_string(BootLog::Ending ending) {
  constexpr const char* names[] = {"ready", "cut", "stalled", "open"};
  return names[static_cast<std::size_t>(ending)];
}

void take_lines(BootLog& boot, std::string_view bytes) {
  BootLines lines(boot);
  if (!lines.append(bytes) && boot.lines.back().compared) boot.damage.push_back("the boot has too many lines: the rest was left out");
  lines.end();
}

void read_lines(BootLog& boot, const std::filesystem::path& console_dir) {
  const auto raw = console_dir / boot.file;
  std::error_code failed;
  const std::uint64_t size = boot.file.empty() ? 0 : std::filesystem::file_size(raw, failed);
  std::ifstream file(raw, std::ios::binary);
  if (boot.file.empty() || failed || !file) {
    boot.damage.push_back(boot.file.empty() ? "the console was not recorded" : boot.file + " cannot be read");
    return;
  }
  // A killed worker wrote the stages that it saw, but maybe not the last bytes of the recording.
  const auto seen_until = boot.stages.empty() ? boot.span.begin : boot.stages.back().span.end;
  if (seen_until > std::min(boot.span.end, size) || (boot.span.end != UINT64_MAX && boot.span.end > size))
    boot.damage.push_back(fmt::format("{} ends at byte {}, before the boot does", boot.file, size));
  boot.span.end = std::max(std::min(boot.span.end, size), std::min(boot.span.begin, size));
  boot.span.begin = std::min(boot.span.begin, size);
  std::uint64_t left = std::min(boot.span.end - boot.span.begin, kMostBytes);
  const bool too_long = left < boot.span.end - boot.span.begin && boot.talk_from > boot.span.begin + left;
  file.seekg(static_cast<std::streamoff>(boot.span.begin));
  BootLines lines(boot);
  std::string buffer(64 * 1024, '\0');
  bool whole = !too_long;
  while (left > 0) {
    file.read(buffer.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(left, buffer.size())));
    const auto n = static_cast<std::uint64_t>(file.gcount());
    if (n == 0) break;
    left -= n;
    if (!lines.append(std::string_view(buffer).substr(0, n))) {
      whole = whole && !boot.lines.back().compared;
      break;
    }
  }
  lines.end();
  if (!whole) boot.damage.push_back("the boot has more than 64 MiB or 500,000 lines: the rest was left out");
  take_times(boot, console_dir / (std::filesystem::path(boot.file).stem().string() + ".index"));
  // How long the reference was watched after its last stage cannot be held against a line without a time: it would be compared never.
  const auto untimed = [&boot](const BootLine& line) {
    return line.compared && line.since_power_on < Nanoseconds{} && line.span.begin >= boot.stages.back().span.end;
  };
  if (boot.complete() && std::any_of(boot.lines.begin(), boot.lines.end(), untimed))
    boot.damage.push_back("the index of " + boot.file + " does not say when the lines after the last stage came");
}

}  // namespace hilcop
