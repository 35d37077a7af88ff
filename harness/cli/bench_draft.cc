// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_draft.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/table.h"

namespace hilcop {
namespace {

bool plain(const std::string& text) {
  static const std::string kWords[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
  const auto ordinary = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '/') &&
         std::all_of(text.begin(), text.end(), ordinary) && std::find(std::begin(kWords), std::end(kWords), text) == std::end(kWords);
}

// JSON's double quotes are YAML's.
std::string scalar(const std::string& text) {
  return plain(text) ? text : nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string flow(const nlohmann::ordered_json& value) {
  if (value.is_string()) return scalar(value);
  if (!value.is_structured()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [key, part] : value.items()) parts.push_back(value.is_object() ? scalar(key) + ": " + flow(part) : flow(part));
  return value.is_object() ? fmt::format("{{ {} }}", fmt::join(parts, ", ")) : fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string comment(const std::string& text) { return "  # " + printable(text) + "\n"; }

std::string objects_of(const Discovered& one) {
  std::string text = comment(describe(one.device));
  if (const auto* node = node_of(one.device); node != nullptr && !node->accessible) text += comment("to get access: " + node->remedy);
  if (one.proposals.size() > 1 && !one.settled) text += comment("it may be any of these: keep the one that it is");
  for (std::size_t i = 0; i < one.proposals.size(); ++i) {
    const auto& proposal = one.proposals[i];
    if (!proposal.object.note.empty()) text += comment(proposal.object.note);
    text += (one.settled && i == 0 ? "  " : "  # ") + yaml_line(proposal) + "\n";
  }
  return text;
}

std::string dut_of(const std::vector<Discovered>& found, const std::vector<std::string>& boards) {
  std::string text = "duts: {}\n# Which product hangs on what, only you know. Such as:\n# duts:\n#   board1:\n";
  text += fmt::format("#     board: NAME               # `hilcop new board NAME`{}\n",
                      boards.empty() ? "" : fmt::format(", or one of boards/: {}", fmt::join(boards, ", ")));
  text += "#     serial_number: ''         # of this very unit, for the record\n";
  std::vector<std::string> roles;
  for (const auto& one : found) {
    // What stands above as a comment is no instrument that a DUT could name.
    if (!one.settled) continue;
    const auto& object = one.proposals.front().object;
    if (object.role.empty() || std::find(roles.begin(), roles.end(), object.role) != roles.end()) continue;
    roles.push_back(object.role);
    const auto source = fmt::format("{{ instrument: {}, channel: {} }}", object.name, scalar(object.channel));
    const auto dot = object.role.find('.');
    text += dot == std::string::npos
                ? fmt::format("#     {}: {}\n", object.role, source)
                : fmt::format("#     {}: {{ {}: {} }}\n", object.role.substr(0, dot), object.role.substr(dot + 1), source);
  }
  return text;
}

}  // namespace

std::string yaml_line(const Proposal& proposal) {
  nlohmann::ordered_json value{{"driver", proposal.driver}};
  for (const auto& [key, part] : proposal.object.config.items()) value[key] = part;
  return proposal.object.name + ": " + flow(value);
}

std::string bench_draft(const std::string& name, const std::vector<Discovered>& found, DriverTable drivers,
                        const std::vector<std::string>& boards, const std::string& schema) {
  std::string text =
      "# SPDX-License-Identifier: Apache-2.0\n# yaml-language-server: $schema=" + schema +
      "\n# What `hilcop discover` saw on this host. What each key means: harness/bench/docs/files.md.\nbench: " + scalar(name) + "\n";
  const bool any = std::any_of(found.begin(), found.end(), [](const Discovered& one) { return one.settled; });
  text += any ? "instruments:\n" : "instruments: {}\n";
  for (const auto& one : found)
    if (!one.proposals.empty()) text += objects_of(one);
  text += comment("Not to be found by looking at this host (on a network, virtual, or people's choice): " + not_looked_for(drivers) + ".");
  return text + dut_of(found, boards);
}

std::string not_looked_for(DriverTable drivers) {
  std::vector<std::string> names;
  for (const auto* driver : drivers)
    if (!driver->recognise) names.push_back(driver->name);
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace hilcop
