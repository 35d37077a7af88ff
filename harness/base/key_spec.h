// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hilcop {

/// One key of a configuration file: the loader checks by it, and documentation and JSON Schema are made from it.
struct KeySpec {
  enum class Type {
    String,
    Path,     // relative to the file that names it; resolved to absolute by the loader
    Pattern,  // a bounded regex or literal, as for Console::expect
    Integer,
    Number,
    Boolean,
    List,     // children[0] describes an item
    Map,      // children are its keys
    OpenMap,  // keys are free names; children[0] describes a value
  };

  std::string name = {};
  Type type = Type::String;
  std::string description = {};
  bool required = false;
  nlohmann::json fallback = {};  // null: none
  std::string example = {};      // a valid text, where any would not do
  std::vector<std::string> choices = {};
  std::optional<double> min = {}, max = {};
  std::vector<KeySpec> children = {};
};

}  // namespace hilcop
