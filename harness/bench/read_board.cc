// SPDX-License-Identifier: Apache-2.0
#include "bench/read_board.h"

#include <algorithm>
#include <set>

#include "bench/board_watchers.h"
#include "bench/flash_config.h"
#include "bench/tables.h"
#include "bench/usb_config.h"
#include "console/boot_noise.h"

namespace hilcop {
namespace {

using nlohmann::json;

// What would let an echo pass for a reply is refused.
void check_repl(const CheckedFile& file, const Board& board, std::vector<ConfigProblem>& problems) {
  const std::string& say = board.repl->say;
  const auto once = [&](const char* part) { return say.find(part) != std::string::npos && say.find(part) == say.rfind(part); };
  if (!once("{left}") || !once("{right}"))
    problems.push_back(file.problem("repl.say", "must have {left} and {right} once each, as in print('{left}' '{right}')"));
  if (say.find("{left}{right}") != std::string::npos)
    problems.push_back(file.problem("repl.say", "has {left}{right} side by side: its echo would look like what it prints"));
  if (std::any_of(say.begin(), say.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    problems.push_back(file.problem("repl.say", "must be one line without control characters"));
  if (board.has_shell) problems.push_back(file.problem("repl", "the board has a `shell:` already: leave one of them out"));
}

}  // namespace

Nanoseconds from_ms(const json& number) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double, std::milli>(number.get<double>()));
}
Nanoseconds from_s(const json& number) {
  return std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(number.get<double>()));
}

std::vector<std::string> driver_names(DriverTable drivers) {
  std::vector<std::string> names;
  for (const auto* driver : drivers) names.push_back(driver->name);
  return names;
}

Board read_board(const std::filesystem::path& path, DriverTable drivers, std::vector<ConfigProblem>& problems) {
  const auto before = problems.size();
  auto file = check_file(path, board_keys(), problems);
  Board board;
  board.file = path;
  board.sha256 = file.sha256;
  if (!file.value["machine"].is_null()) {
    auto& machine = file.value["machine"];
    const std::string name = machine.contains("driver") && machine["driver"].is_string() ? machine["driver"].get<std::string>() : "";
    const Driver* driver = find_driver(drivers, name);
    if (driver == nullptr) {
      problems.push_back(
          file.problem("machine.driver", "'" + name + "' is no driver" + nearest(name, driver_names(drivers)), driver_names(drivers)));
    } else {
      machine.erase("driver");
      check_part(file, "machine", machine, driver->keys, problems);
      machine["driver"] = name;
    }
  }
  if (problems.size() != before) return board;
  const auto& value = file.value;
  board.name = value["board"];
  board.description = value["description"];
  std::set<std::string> stages;
  for (const auto& stage : value["boot_stages"]) {
    board.boot_stages.push_back({stage["name"], Pattern::regex(stage["pattern"]), from_s(stage["deadline_s"])});
    if (!stages.insert(stage["name"]).second)
      problems.push_back(file.problem("boot_stages", "two stages are named '" + stage["name"].get<std::string>() + "'"));
  }
  if (!value["shell"].is_null()) {
    board.has_shell = true;
    const auto& shell = value["shell"];
    board.shell = {shell["prompt"], shell["login"], shell["password"], shell["login_prompt"], shell["password_prompt"]};
  }
  if (!value["repl"].is_null()) {
    const auto& repl = value["repl"];
    board.repl = ReplFraming{repl["prompt"], repl["say"], repl["interrupt"]};
    check_repl(file, board, problems);
  }
  board.line_end = value["line_end"];
  if (board.line_end.empty()) problems.push_back(file.problem("line_end", "is empty, so no line would ever end"));
  board.linux_watchers = value["linux_watchers"];
  read_watchers(file, board, problems);
  for (const auto& noise : value["boot_noise"]) board.boot_noise.push_back(noise);
  for (std::size_t i = 0; i < board.boot_noise.size(); ++i) {
    try {
      check_boot_noise(board.boot_noise[i]);
    } catch (const Error& error) {
      problems.push_back(file.problem("boot_noise." + std::to_string(i), error.cause() + "; " + error.remedy()));
    }
  }
  board.min_off = from_ms(value["min_off_ms"]);
  if (!value["pacing"].is_null()) board.pacing = {value["pacing"]["chunk_bytes"].get<std::size_t>(), from_ms(value["pacing"]["pause_ms"])};
  if (!value["usb"].is_null()) board.usb = read_board_usb(value["usb"]);
  board.functions = value["functions"];
  board.machine = value["machine"];
  board.flash = read_flash_parts(file, false, problems);
  board.dump = read_flash_parts(file, true, problems);
  return board;
}

Board load_board(const std::filesystem::path& file, DriverTable drivers) {
  std::vector<ConfigProblem> problems;
  auto board = read_board(file, drivers, problems);
  if (!problems.empty()) throw ConfigError(std::move(problems));
  return board;
}

}  // namespace hilcop
