// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>

#include <cstdlib>
#include <set>

#include "base/error.h"
#include "bench/checked_yaml.h"
#include "io/child_process.h"
#include "run/supervisor.h"

namespace hilcop {

using nlohmann::json;

double ScenarioInfo::timeout(const std::string& effort) const { return timeout_s.value(effort, 600.0); }

PythonSettings python_settings() {
  PythonSettings settings;
  if (const char* dir = std::getenv("HILCOP_PYTHON_DIR"); dir != nullptr && *dir != '\0') {
    settings.package_dir = dir;
  } else {
    std::error_code failed;
    settings.package_dir = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path().parent_path() / "python";
  }
  if (!std::filesystem::exists(settings.package_dir / "hilcop"))
    throw Error(ErrorKind::NotFound, "Python package hilcop", "is not in " + settings.package_dir.string(),
                "build it (./dev build), or set HILCOP_PYTHON_DIR");
  return settings;
}

std::vector<ScenarioInfo> list_scenarios(const PythonSettings& python, const std::vector<std::filesystem::path>& paths) {
  ProcessOptions process;
  process.program = python.interpreter;
  process.arguments = python.worker;
  process.arguments.push_back("--list");
  for (const auto& path : paths) process.arguments.push_back(path.string());
  process.environment = {{"PYTHONPATH", python.package_dir.string()}, {"PYTHONDONTWRITEBYTECODE", "1"}};
  const auto result = run_process(process, Deadline::in(60s));
  const auto begin = result.output.rfind("[{");
  const auto list = json::parse(begin == std::string::npos ? "[]" : result.output.substr(begin), nullptr, false);
  if (result.status.code != 0 || list.is_discarded())
    throw Error(ErrorKind::Config, "scenarios", "cannot be listed (" + result.status.text() + "):\n" + result.output,
                "mend the scenario files");
  std::vector<ScenarioInfo> found;
  std::string broken;
  for (const auto& entry : list) {
    if (entry.contains("error"))
      broken += "\n" + entry["file"].get<std::string>() + ":\n" + entry["error"].get<std::string>();
    else
      found.push_back({entry["id"], entry["title"], entry["clauses"], entry["timeout_s"], entry["file"]});
  }
  if (!broken.empty()) throw Error(ErrorKind::Config, "scenarios", "some files are broken:" + broken, "mend them");
  return found;
}

std::vector<ScenarioInfo> choose_scenarios(const std::vector<ScenarioInfo>& all, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return all;
  std::vector<ScenarioInfo> chosen;
  std::set<std::string> taken;
  std::vector<std::string> ids;
  for (const auto& one : all) ids.push_back(one.id);
  for (const auto& want : wanted) {
    bool any = false;
    for (const auto& one : all) {
      const bool fits =
          ::fnmatch(want.c_str(), one.id.c_str(), 0) == 0 || (want.ends_with(".py") && std::filesystem::weakly_canonical(want) == one.file);
      any |= fits;
      if (fits && taken.insert(one.id).second) chosen.push_back(one);
    }
    std::string list;
    for (const auto& id : ids) list += (list.empty() ? "" : ", ") + id;
    if (!any)
      throw Error(ErrorKind::Config, "scenario '" + want + "'", "there is none of that name" + nearest(want, ids),
                  "choose one of: " + list);
  }
  return chosen;
}

}  // namespace hilcop
