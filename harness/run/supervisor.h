// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "keeper/driver.h"

namespace hilcop {

/// A scenario as its file declares it.
struct ScenarioInfo {
  std::string id, title;
  std::vector<std::string> clauses;
  nlohmann::json timeout_s;  // by effort
  std::string file;
  double timeout(const std::string& effort) const;
};

/// What the harness needs of Python: the system's, with the package that was built beside this program.
struct PythonSettings {
  std::filesystem::path interpreter = "/usr/bin/python3";
  std::filesystem::path package_dir;  // put in PYTHONPATH
  std::vector<std::string> worker{"-m", "hilcop.worker"};
};
PythonSettings python_settings();

/// Imports the scenario files in a process of its own. Throws Error{Config} with the tracebacks of broken files.
std::vector<ScenarioInfo> list_scenarios(const PythonSettings& python, const std::vector<std::filesystem::path>& paths);
/// By id, glob or file; empty: all. Throws Error{Config} that names near ones.
std::vector<ScenarioInfo> choose_scenarios(const std::vector<ScenarioInfo>& all, const std::vector<std::string>& wanted);

struct RunOptions {
  std::filesystem::path bench, boards_dir, run_dir;
  std::vector<std::string> duts;  // not empty
  std::vector<ScenarioInfo> scenarios;
  std::vector<std::filesystem::path> scenario_paths;
  std::string effort = "test";
  std::uint64_t seed = 1;
  double wait_s = 0;
  std::string faults;  // as parse_line_faults() reads them; empty: none
  PythonSettings python;
  Nanoseconds grace = 10s;                                    // for a worker that was interrupted, before it is killed
  std::function<void(const nlohmann::json& event)> progress;  // events of the workers, from several threads
};

/// Runs every scenario on every DUT: one worker each DUT, side by side. Blocks. What happened is in run_dir/timeline, whatever
/// died meanwhile. Throws Interrupted after the workers have ended.
void supervise(const RunOptions& options);

/// Where a worker serves its events. Its pid is that of the lease of its DUT (bench/lease_lock.h).
std::filesystem::path event_socket_of(int worker_pid);

}  // namespace hilcop
