// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/command.h"
#include "cli/table.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string type_of(const KeySpec& key) {
  switch (key.type) {
    case KeySpec::Type::String:
      return "text";
    case KeySpec::Type::Path:
      return "path";
    case KeySpec::Type::Pattern:
      return "pattern";
    case KeySpec::Type::Integer:
      return "integer";
    case KeySpec::Type::Number:
      return "number";
    case KeySpec::Type::Boolean:
      return "true or false";
    case KeySpec::Type::List:
      return "list";
    case KeySpec::Type::Map:
    case KeySpec::Type::OpenMap:
      return "mapping";
  }
  return "";
}

// In full: 12000000, not 1.2e+07.
std::string number(double value) { return fmt::format("{:.{}f}", value, value == std::floor(value) ? 0 : 3); }

std::string values_of(const KeySpec& key) {
  std::string text;
  for (const auto& choice : key.choices) text += (text.empty() ? "" : ", ") + choice;
  if (text.empty()) text = type_of(key);
  if (key.min && key.max) text += " " + number(*key.min) + " to " + number(*key.max);
  if (key.min && !key.max) text += " from " + number(*key.min);
  return text;
}

void add_keys(const std::vector<KeySpec>& keys, const std::string& indent, Rows& rows) {
  for (const auto& key : keys) {
    const std::string fallback = key.required ? "required" : key.fallback.is_null() ? "-" : key.fallback.dump();
    if (!key.name.empty()) rows.push_back({indent + key.name, values_of(key), fallback, key.description});
    add_keys(key.children, key.name.empty() ? indent : indent + "  ", rows);
  }
}

void print_one(const Driver& driver) {
  std::printf("%s: %s\n", driver.name.c_str(), driver.summary.c_str());
  std::printf("%s\n",
              driver.unverified.empty() ? "tried against programs or kernels of others" : ("not verified: " + driver.unverified).c_str());
  Rows rows;
  add_keys(driver.keys, "", rows);
  std::fputs(table("Keys", {"KEY", "VALUES", "DEFAULT", "MEANING"}, rows).c_str(), stdout);
}

void print_all() {
  Rows rows;
  for (const auto* driver : all_drivers())
    rows.push_back({driver->name, driver->open ? "keeper" : "worker", driver->unverified.empty() ? "yes" : "no", driver->summary});
  std::fputs(table("Drivers", {"NAME", "HELD BY", "VERIFIED", "WHAT"}, rows).c_str(), stdout);
  std::printf("\n`hilcop drivers NAME` tells its keys.\n");
}

}  // namespace

void add_drivers(CLI::App& app, int& status) {
  auto name = std::make_shared<std::string>();
  auto* command = app.add_subcommand("drivers", "the instruments that a lab-config can name, and the keys of one");
  command->add_option("NAME", *name, "a driver: its keys");
  command->callback([name, &status] {
    status = 0;
    if (name->empty()) return print_all();
    if (const auto* driver = find_driver(all_drivers(), *name)) return print_one(*driver);
    std::string names;
    for (const auto* driver : all_drivers()) names += (names.empty() ? "" : ", ") + driver->name;
    throw Error(ErrorKind::Config, "driver '" + *name + "'", "there is none", "choose one of: " + names);
  });
}

}  // namespace hilcop
