// SPDX-License-Identifier: Apache-2.0
#include "bench/schema.h"

#include <cmath>

#include "bench/tables.h"

namespace hilcop {
namespace {

using nlohmann::ordered_json;
using Type = KeySpec::Type;

// Texts that std::stoll and std::stod take, for numbers in quotes.
constexpr const char* kIntegerText = R"(^\s*[+-]?(0[xX][0-9a-fA-F]+|[0-9]+)$)";
constexpr const char* kNumberText = R"(^\s*[+-]?(0[xX][0-9a-fA-F]+|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)$)";

ordered_json whole_or_not(double number) {
  if (std::nearbyint(number) == number) return static_cast<std::int64_t>(number);
  return number;
}

// The loader reads every scalar as a text, YAML readers make numbers and booleans of some; those of YAML 1.1 also of `on` and `off`.
ordered_json text_schema(const KeySpec& key) {
  if (key.choices.empty()) return {{"type", {"string", "number", "boolean"}}};
  auto values = ordered_json::array();
  for (const auto& choice : key.choices) values.push_back(choice);
  for (const auto& choice : key.choices) {
    if (choice == "on" || choice == "true" || choice == "yes") values.push_back(true);
    if (choice == "off" || choice == "false" || choice == "no") values.push_back(false);
    if (const auto number = ordered_json::parse(choice, nullptr, false); number.is_number()) values.push_back(number);
  }
  return {{"enum", values}};
}

ordered_json number_schema(const KeySpec& key) {
  const bool whole = key.type == Type::Integer;
  ordered_json number{{"type", whole ? "integer" : "number"}};
  if (key.min) number["minimum"] = whole_or_not(*key.min);
  if (key.max) number["maximum"] = whole_or_not(*key.max);
  return {{"anyOf", {number, {{"type", "string"}, {"pattern", whole ? kIntegerText : kNumberText}}}}};
}

ordered_json map_schema(const std::vector<KeySpec>& keys, ordered_json properties = ordered_json::object());

ordered_json value_schema(const KeySpec& key) {
  switch (key.type) {
    case Type::Map:
      return map_schema(key.children);
    case Type::OpenMap:
      if (key.children.empty()) return {{"type", "object"}};
      return {{"type", "object"}, {"additionalProperties", value_schema(key.children.at(0))}};
    case Type::List:
      return {{"type", "array"}, {"items", value_schema(key.children.at(0))}};
    case Type::Boolean:
      return {{"anyOf", {{{"type", "boolean"}}, {{"enum", {"true", "false"}}}}}};
    case Type::Integer:
    case Type::Number:
      return number_schema(key);
    default:
      return text_schema(key);
  }
}

// A key without a value is as good as one that is not given.
ordered_json or_null(ordered_json schema) {
  if (schema.contains("anyOf")) {
    schema["anyOf"].push_back({{"type", "null"}});
  } else if (schema.contains("enum")) {
    schema["enum"].push_back(nullptr);
  } else if (schema["type"].is_array()) {
    schema["type"].push_back("null");
  } else {
    schema["type"] = {schema["type"], "null"};
  }
  return schema;
}

ordered_json key_schema(const KeySpec& key) {
  ordered_json schema = ordered_json::object();
  if (!key.description.empty()) schema["description"] = key.description;
  if (!key.fallback.is_null()) schema["default"] = key.fallback;
  if (!key.example.empty()) schema["examples"] = {key.example};
  const auto value = value_schema(key);
  schema.update(key.required ? value : or_null(value));
  return schema;
}

ordered_json map_schema(const std::vector<KeySpec>& keys, ordered_json properties) {
  auto required = ordered_json::array();
  for (const auto& key : keys) {
    properties[key.name] = key_schema(key);
    if (key.required) required.push_back(key.name);
  }
  ordered_json schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

ordered_json if_given(const char* key, ordered_json value) {
  ordered_json condition{{"type", "object"}, {"required", {key}}};
  condition["properties"][key] = std::move(value);
  return condition;
}

// One branch for each driver, chosen by `driver`.
ordered_json driver_schema(DriverTable drivers, const std::string& description) {
  auto names = ordered_json::array();
  auto branches = ordered_json::array();
  for (const auto* driver : drivers) {
    names.push_back(driver->name);
    const ordered_json own{{"driver", {{"description", driver->summary}, {"const", driver->name}}}};
    branches.push_back({{"if", if_given("driver", {{"const", driver->name}})}, {"then", map_schema(driver->keys, own)}});
  }
  ordered_json schema{{"description", description}, {"type", "object"}, {"properties", ordered_json::object()}, {"required", {"driver"}}};
  schema["properties"]["driver"] = {{"description", "what it is"}, {"enum", names}};
  schema["allOf"] = std::move(branches);
  return schema;
}

// An instrument may be a board (`board:`): then nothing is required that the board's `machine:` gives, the driver neither.
ordered_json instrument_schema(DriverTable drivers) {
  auto schema = driver_schema(drivers, "an instrument");
  const ordered_json board{
      {"description", "the board that it is: a name in boards/, or a path that ends in .yaml; its `machine:` gives the keys"},
      {"type", {"string", "number", "boolean", "null"}}};
  const auto is_a_board = if_given("board", {{"not", {{"enum", {nullptr, ""}}}}});
  auto of_a_board = ordered_json::array();
  for (auto& branch : schema["allOf"]) {
    auto& keys = branch["then"];
    keys["properties"]["board"] = board;
    auto given = keys;
    given.erase("required");
    given["properties"]["driver"] = {{"description", "as the board says"}, {"type", "null"}};
    of_a_board.push_back(std::move(given));
    if (!keys.contains("required")) continue;
    keys["if"] = is_a_board;
    keys["else"] = {{"required", keys["required"]}};
    keys.erase("required");
  }
  schema["allOf"].push_back({{"if", if_given("driver", {{"type", "string"}})}, {"else", {{"required", {"board"}}, {"anyOf", of_a_board}}}});
  schema["allOf"].push_back({{"if", is_a_board}, {"else", {{"required", {"driver"}}}}});
  schema.erase("required");
  schema["properties"]["driver"]["enum"].push_back(nullptr);
  schema["properties"]["board"] = board;
  return schema;
}

ordered_json file_schema(const char* title, const std::vector<KeySpec>& keys) {
  ordered_json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}};
  schema.update(map_schema(keys));
  return schema;
}

}  // namespace

ordered_json bench_schema(DriverTable drivers) {
  auto schema = file_schema("a bench of hilcop: lab-config/NAME.yaml", bench_keys());
  schema["properties"]["instruments"]["additionalProperties"] = instrument_schema(drivers);
  return schema;
}

ordered_json board_schema(DriverTable drivers) {
  auto schema = file_schema("a product: boards/NAME.yaml", board_keys());
  auto& machine = schema["properties"]["machine"];
  machine = or_null(driver_schema(drivers, machine["description"]));
  return schema;
}

}  // namespace hilcop
