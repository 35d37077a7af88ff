// SPDX-License-Identifier: Apache-2.0
// ./dev bench soak [--minutes N]: consoles with faults for a long time: does memory stay flat, does a descriptor leak, is a byte lost?
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "evidence/timeline.h"
#include "fakes/temp_dir.h"
#include "soak/line.h"

using namespace hilcop;
using nlohmann::json;

namespace {

constexpr std::size_t kConsoles = 64;
constexpr Nanoseconds kBurst = 16ms;
constexpr double kBytesPerSecond = 11'520;

struct Sample {
  double resident_mib;
  std::size_t descriptors, threads;
};

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

Sample sample() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return {static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20), entries("/proc/self/fd"),
          entries("/proc/self/task")};
}

// A boot log's lines, now and then with a marker that somebody waits for, or with what a watcher looks for.
std::string next_line(std::uint64_t number) {
  std::string line = "[" + std::to_string(number) + ".000000] device " + std::to_string(number * 7919) + ": probed at irq 3";
  if (number % 40 == 0) line += "; marker " + std::to_string(number) + ";";
  if (number % 2'000 == 0) line += "; fault 17 at 0xdead";
  return line + "\r\n";
}

// Every device speaks at its UART's rate; what a line does not take now is said later.
void speak(std::vector<std::unique_ptr<SoakLine>>& lines, const std::atomic<bool>& ending, std::atomic<std::uint64_t>& heard) {
  std::vector<std::string> unsaid(lines.size());
  std::vector<std::uint64_t> numbers(lines.size(), 0);
  const auto begin = real_clock().now();
  for (std::uint64_t tick = 1; !ending; ++tick) {
    const auto due = static_cast<std::uint64_t>(kBytesPerSecond * std::chrono::duration<double>(real_clock().now() - begin).count());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      while (lines[i]->sent() + unsaid[i].size() < due) unsaid[i] += next_line(++numbers[i]);
      unsaid[i].erase(0, lines[i]->say(unsaid[i]));
      heard += lines[i]->hear();
    }
    wait_until(Deadline(begin + kBurst * static_cast<std::int64_t>(tick)));
  }
  for (std::size_t i = 0; i < lines.size(); ++i) heard += lines[i]->hear();
}

// Who uses the consoles: waits for markers, and talks.
void use(std::vector<std::unique_ptr<SoakLine>>& lines, std::size_t first, std::size_t step, const std::atomic<bool>& ending,
         std::atomic<std::uint64_t>& matched, std::atomic<std::uint64_t>& told) {
  const std::array marker{Pattern::regex("marker ([0-9]+);")};
  for (std::size_t i = first; !ending; i = i + step < lines.size() ? i + step : first) {
    auto& console = lines[i]->console();
    if (console.try_expect(marker, Deadline::in(400ms))) ++matched;
    try {
      console.write("ping\n", Deadline::in(5s));
      told += 5;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Disconnected) throw;  // it is being opened again
    }
    console.mark();
  }
}

double median_of(const std::vector<Sample>& samples, std::size_t from, std::size_t to) {
  std::vector<double> values;
  for (std::size_t i = from; i < to; ++i) values.push_back(samples[i].resident_mib);
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

json row(const std::string& name, double value, const std::string& unit, double most, const std::string& detail = "") {
  std::printf("| %s | %.4g %s | <= %.4g | %s | %s |\n", name.c_str(), value, unit.c_str(), most, value <= most ? "met" : "**missed**",
              detail.c_str());
  return {{"name", name}, {"value", value}, {"unit", unit}, {"goal", most}, {"met", value <= most}, {"detail", detail}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("64 consoles with faults");
  double minutes = 1;
  std::string file;
  app.add_option("--minutes", minutes, "how long")->check(CLI::Range(0.1, 10'000.0));
  app.add_option("--json", file, "file to write");
  CLI11_PARSE(app, argc, argv);
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);

  TempDir dir;
  const auto timeline = Timeline::open({dir / "timeline.ndjson", {}, "soak"});
  const auto loop = IoLoop::start();
  std::vector<Watcher> watchers;
  for (int i = 0; i < 64; ++i)
    watchers.push_back({"w" + std::to_string(i), Pattern::regex("fault " + std::to_string(i) + " at 0x[0-9a-f]+"), false});
  std::vector<std::unique_ptr<SoakLine>> lines;
  for (std::size_t i = 0; i < kConsoles; ++i)
    lines.push_back(std::make_unique<SoakLine>(static_cast<int>(i), dir.path(), watchers, *loop, *timeline));

  std::atomic<bool> ending{false}, silent{false};
  std::atomic<std::uint64_t> matched{0}, told{0}, heard{0};
  std::vector<Sample> samples;
  {
    std::jthread devices([&] { speak(lines, silent, heard); });
    std::vector<std::jthread> users;
    for (std::size_t i = 0; i < 4; ++i) users.emplace_back([&, i] { use(lines, i, 4, ending, matched, told); });
    const auto end = real_clock().now() + std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(minutes * 60));
    const auto every =
        std::min<Nanoseconds>(10s, std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(minutes * 60 / 20)));
    while (real_clock().now() < end) {
      wait_until(Deadline(std::min(end, real_clock().now() + every)));
      samples.push_back(sample());
    }
    ending = true;
    users.clear();
    silent = true;
  }
  std::uint64_t sent = 0, breaks = 0, gaps = 0, damaged = 0, missing = 0, hits = 0;
  const Deadline arrival = Deadline::in(30s);
  for (auto& line : lines) {
    while (line->console().offset() < line->expected().bytes && !arrival.expired()) wait_until(arrival.at_most(10ms));
    sent += line->sent(), breaks += line->breaks();
    for (const auto& gap : line->console().gaps_since(0)) gaps += gap.cause == "lost";
    hits += line->console().hits_since(0).size();
    const auto recorded = line->recorded();
    damaged += recorded == line->expected() ? 0 : 1;
    missing += line->expected().bytes - std::min(recorded.bytes, line->expected().bytes);
  }
  std::uint64_t heard_late = heard;
  for (auto& line : lines) heard_late += line->hear();
  const auto n = samples.size();
  std::printf("%s, %g minutes, %zu consoles, %.1f MB said, %llu breaks, %llu markers matched, %llu hits\n\n",
              to_iso8601(real_clock().utc_now()).substr(0, 16).c_str(), minutes, kConsoles, static_cast<double>(sent) / 1e6,
              static_cast<unsigned long long>(breaks), static_cast<unsigned long long>(matched.load()),
              static_cast<unsigned long long>(hits));
  std::printf("| what | measured | goal | | detail |\n|---|---|---|---|---|\n");
  json rows = json::array();
  rows.push_back(row("recordings that are not what arrived, byte for byte", static_cast<double>(damaged), "", 0));
  rows.push_back(row("bytes lost", static_cast<double>(missing), "", 0));
  rows.push_back(
      row("bytes typed that the device did not hear", static_cast<double>(told - heard_late), "", 0, std::to_string(told) + " typed"));
  // Each break is a gap when it broke, and one when the line was there again.
  rows.push_back(row("breaks without their gap records", std::abs(static_cast<double>(gaps) - 2.0 * static_cast<double>(breaks)), "", 0));
  const double before = median_of(samples, n / 4, n / 2), after = median_of(samples, n - n / 4, n);
  char shown[100];
  std::snprintf(shown, sizeof shown, "%.1f MiB in the second quarter, %.1f MiB in the last", before, after);
  rows.push_back(row("growth of resident memory", after - before, "MiB", 2, shown));
  // The median of a quarter: a line that is broken just now lacks its descriptors, and who waits for it has one more.
  const auto growth = [&](auto of) {
    const auto usual = [&](std::size_t from, std::size_t to) {
      std::vector<std::size_t> values;
      for (std::size_t i = from; i < to; ++i) values.push_back(of(samples[i]));
      std::sort(values.begin(), values.end());
      return values.empty() ? 0.0 : static_cast<double>(values[values.size() / 2]);
    };
    return usual(n - n / 4, n) - usual(n / 4, n / 2);
  };
  rows.push_back(row("growth of open descriptors", growth([](const Sample& s) { return s.descriptors; }), "", 0,
                     std::to_string(samples.back().descriptors) + " at the end"));
  rows.push_back(row("growth of threads", growth([](const Sample& s) { return s.threads; }), "", 0));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds_of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  const double cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  std::printf("\nprocessor time, devices included: %.0f %% of a core\n", 100 * cpu / (minutes * 60));
  if (!file.empty())
    std::ofstream(file)
        << json{{"benchmark", "soak"}, {"minutes", minutes}, {"utc", to_iso8601(real_clock().utc_now())}, {"rows", rows}}.dump(1) << "\n";
  return std::all_of(rows.begin(), rows.end(), [](const json& one) { return one["met"] == true; }) ? 0 : 1;
}
