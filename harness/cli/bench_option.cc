// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_option.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "fixtures/catalog.h"

namespace hilcop {

namespace fs = std::filesystem;

namespace {
constexpr double kLongestWait = 1e8;  // a count of nanoseconds ends at 9e9 s
}

fs::path project_dir() {
  if (const char* home = std::getenv("HILCOP_HOME"); home != nullptr && *home != '\0') return home;
  std::error_code failed;
  for (auto dir = fs::read_symlink("/proc/self/exe", failed).parent_path(); dir.has_relative_path(); dir = dir.parent_path())
    if (fs::is_directory(dir / "boards") && fs::is_directory(dir / "lab-config")) return dir;
  return fs::current_path();
}

void add_bench_option(CLI::App& command, std::string& bench) {
  command.add_option("--bench,-b", bench, "lab-config file, or the name of one in lab-config/ (default: $HILCOP_BENCH, or the only one)")
      ->type_name("BENCH");
}

void add_wait_option(CLI::App& command, double& wait_s) {
  command.add_option("--wait", wait_s, "seconds to queue while somebody else holds a DUT (default: refuse at once)")
      ->check(CLI::Validator(
          [](const std::string& text) {
            double seconds = 0;
            const bool sound = CLI::detail::lexical_cast(text, seconds) && seconds >= 0 && seconds <= kLongestWait;
            return sound ? "" : "'" + text + "' is no number of seconds from 0 to " + fmt::format("{:g}", kLongestWait);
          },
          ""));
}

void wait_as_asked(OpenOptions& options, double wait_s) {
  if (wait_s > 0) options.wait_until = Deadline::in(std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(wait_s)));
  options.on_wait = [](const std::string& text) { std::fprintf(stderr, "hilcop: %s\n", text.c_str()); };
}

fs::path bench_file(const std::string& given) {
  std::string wanted = given;
  if (const char* named = std::getenv("HILCOP_BENCH"); wanted.empty() && named != nullptr) wanted = named;
  if (!wanted.empty() && (wanted.find('/') != std::string::npos || wanted.ends_with(".yaml"))) return wanted;
  const auto folder = project_dir() / "lab-config";
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) return folder / (wanted + ".yaml");
  if (wanted.empty() && names.size() == 1) return folder / (names[0] + ".yaml");
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::Config, wanted.empty() ? "--bench" : "bench '" + wanted + "'",
              wanted.empty() ? "is not given, and there is not just one" : "there is none of that name",
              "choose one of: " + list + "; or give a path to a .yaml file");
}

fs::path boards_dir_of(const fs::path& file) {
  const auto above = boards_dir_above(file);
  std::error_code none;  // a folder that cannot be looked into is not theirs
  return fs::is_directory(above, none) ? above : project_dir() / "boards";
}

BenchConfig load_bench(const std::string& given) {
  const auto file = bench_file(given);
  return load_bench_config(file, boards_dir_of(file), all_drivers());
}

}  // namespace hilcop
