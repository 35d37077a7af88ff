// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <fstream>

#include <CLI/CLI.hpp>

#include "bench/template.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/new_file.h"
#include "cli/scenario_template.h"
#include "fixtures/catalog.h"
#include "run/supervisor.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;

bool only(const std::string& text, const std::string& allowed) { return text.find_first_not_of(allowed) == std::string::npos; }
const std::string kDigits = "0123456789", kSmall = "abcdefghijklmnopqrstuvwxyz", kCapital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

Error bad_name(const std::string& what, const std::string& name, const std::string& rule) {
  return {ErrorKind::Config, what + " '" + name + "'", "is no name for one: " + rule, "choose another"};
}

std::string shown(const fs::path& file) { return fs::absolute(file).lexically_proximate(fs::current_path()).string(); }

// The lines of another board's `machine:`, comments and all.
std::string machine_of(const fs::path& file) {
  if (load_board(file, all_drivers()).machine.is_null())
    throw Error(ErrorKind::Config, "--like " + file.string(), "that board has no `machine:`",
                "leave --like out, or name a board that QEMU can be");
  std::ifstream lines(file);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    const bool top = !line.empty() && line[0] != ' ' && line[0] != '#' && line[0] != '}';
    if (top && (!text.empty() || !line.starts_with("machine:"))) {
      if (!text.empty()) break;
      continue;
    }
    if (top || !text.empty()) text += line + "\n";
  }
  return text;
}

void new_board(const std::string& name, const std::string& like, const std::string& out) {
  const auto boards = project_dir() / "boards";
  if (name.empty() || name.size() > 64 || !only(name, kDigits + kSmall + kCapital + "._-") ||
      !only(name.substr(0, 1), kDigits + kSmall + kCapital) || name.ends_with(".yaml"))
    throw bad_name("board", name, "letters, digits, '.', '_' and '-', at most 64, the first a letter or a digit, not ending in .yaml");
  const fs::path file = out.empty() ? boards / (name + ".yaml") : fs::path(out);
  std::string machine;
  if (!like.empty()) {
    const fs::path other = like.ends_with(".yaml") ? fs::path(like) : boards / (like + ".yaml");
    machine = machine_of(other);
    if (fs::weakly_canonical(fs::absolute(other)).parent_path() != fs::weakly_canonical(fs::absolute(file)).parent_path())
      throw Error(ErrorKind::Config, "--like " + like, "its paths are relative to its own folder, and the new board stands in another",
                  "leave --out out, or name a file in " + other.parent_path().string());
  }
  const auto schema =
      fs::absolute(boards / "board.schema.json").lexically_proximate(fs::weakly_canonical(fs::absolute(file)).parent_path());
  write_new(file, board_template(name, schema.string(), machine), "choose another name, or --out FILE");
  std::printf("%s written: fill it in, then `hilcop check %s`\n", shown(file).c_str(), shown(file).c_str());
}

void new_scenario(const std::string& id, const std::string& out) {
  // G09-POWER-CYCLE: a letter, two digits, words in capitals.
  const bool begins = id.size() > 4 && only(id.substr(0, 1), kCapital) && only(id.substr(1, 2), kDigits) && id[3] == '-';
  if (!begins || id.size() > 64 || !only(id, kDigits + kCapital + "-") || id.ends_with('-') || id.find("--") != std::string::npos)
    throw bad_name("scenario", id, "a capital, two digits, then words of capitals and digits with '-' between, as in G09-POWER-CYCLE");
  const auto scenarios = project_dir() / "scenarios";
  for (const auto& known : list_scenarios(python_settings(), {scenarios}))
    if (known.id == id)
      throw Error(ErrorKind::Config, "scenario '" + id + "'", "is declared already in " + known.file, "choose another id");
  std::string function = id;
  for (auto& c : function) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // Its guideline's folder. The file is named after the whole id: a `json.py` there would be everybody's json.
  const std::string guideline = function.substr(0, 3);
  fs::path folder = scenarios / guideline;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(scenarios, none))
    if (entry.is_directory() && entry.path().filename().string().starts_with(guideline + "_")) folder = entry.path();
  const fs::path file = out.empty() ? folder / (function + ".py") : fs::path(out);
  if (file.extension() != ".py") throw Error(ErrorKind::Config, "--out " + out, "is no name of a Python file", "end it in .py");
  write_new(file, scenario_template(id, function), "choose another name, or --out FILE");
  std::printf("%s written: change it to what it shall judge, then `hilcop run %s%s`\n", shown(file).c_str(), id.c_str(),
              out.empty() ? "" : (" --scenarios " + shown(file)).c_str());
}

}  // namespace

void add_new(CLI::App& app, int& status) {
  struct Arguments {
    std::string name, like, out;
  };
  auto a = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("new", "write a new board or a new scenario from a template")->require_subcommand(1);
  auto* board = command->add_subcommand("board", "write boards/NAME.yaml: valid at once, every key as a comment");
  board->add_option("NAME", a->name, "the product's name")->required();
  board->add_option("--like", a->like, "copy the `machine:` of that board: a name in boards/, or a path that ends in .yaml")
      ->type_name("BOARD");
  board->add_option("--out", a->out, "the file to write (default: boards/NAME.yaml)")->type_name("FILE");
  board->callback([a, &status] { new_board(a->name, a->like, a->out), status = 0; });
  auto* scenario = command->add_subcommand("scenario", "write a scenario that runs at once on the virtual board");
  scenario->add_option("ID", a->name, "such as G09-POWER-CYCLE")->required();
  scenario->add_option("--out", a->out, "the file to write (default: in the folder of its guideline in scenarios/)")->type_name("FILE");
  scenario->callback([a, &status] { new_scenario(a->name, a->out), status = 0; });
}

}  // namespace hilcop
