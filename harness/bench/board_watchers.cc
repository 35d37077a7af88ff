// SPDX-License-Identifier: Apache-2.0
#include "bench/board_watchers.h"

#include <algorithm>
#include <set>

namespace hilcop {
namespace {

constexpr const char* kStage = "stage:";

bool on(const BoardWatcher& own, const std::string& console) { return own.console.empty() || own.console == console; }

}  // namespace

std::vector<Watcher> watchers_for(const Board& board, const std::string& console) {
  std::vector<Watcher> watchers;
  if (console == "main")
    for (const auto& stage : board.boot_stages) watchers.push_back({kStage + stage.name, stage.pattern, false});
  const auto replaced = [&](const Watcher& watcher) {
    return std::any_of(board.watchers.begin(), board.watchers.end(),
                       [&](const BoardWatcher& own) { return own.watcher.name == watcher.name && on(own, console); });
  };
  if (board.linux_watchers)
    for (auto& watcher : linux_watchers())
      if (!replaced(watcher)) watchers.push_back(std::move(watcher));
  for (const auto& own : board.watchers)
    if (!own.disabled && on(own, console)) watchers.push_back(own.watcher);
  return watchers;
}

void read_watchers(const CheckedFile& file, Board& board, std::vector<ConfigProblem>& problems) {
  std::vector<std::string> known;
  if (board.linux_watchers)
    for (const auto& watcher : linux_watchers()) known.push_back(watcher.name);
  std::set<std::string> names;
  const auto& list = file.value["watchers"];
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& value = list[i];
    const std::string at = "watchers." + std::to_string(i), name = value["name"];
    const auto refuse = [&](const std::string& key, const std::string& message, std::vector<std::string> choices = {}) {
      problems.push_back(file.problem(at + key, message, std::move(choices)));
    };
    if (!names.insert(name).second) refuse(".name", "two watchers are named '" + name + "'");
    if (name.starts_with(kStage)) refuse(".name", "'" + name + "': names that begin with " + kStage + " are the boot stages'");
    const bool has_pattern = !value["pattern"].is_null(), disabled = value["disabled"];
    if (disabled && has_pattern) refuse(".disabled", "'" + name + "' has a pattern and is disabled: leave one of the two out");
    if (!disabled && !has_pattern) refuse("", "'pattern' is missing: what watcher '" + name + "' looks for (or `disabled: true`)");
    if (disabled && std::find(known.begin(), known.end(), name) == known.end())
      refuse(".disabled",
             known.empty() ? "'" + name + "' is not armed: the board has no `linux_watchers: true`"
                           : "'" + name + "' is no linux watcher" + nearest(name, known),
             known);
    board.watchers.push_back(
        {{name, Pattern::regex(has_pattern ? value["pattern"].get<std::string>() : ""), value["fatal"]}, value["console"], disabled});
  }
}

}  // namespace hilcop
