// SPDX-License-Identifier: Apache-2.0
#include "bench/template.h"

#include <algorithm>

#include <fmt/format.h>

#include "bench/tables.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;

std::string number(double value) { return fmt::format("{:.15g}", value); }

// "latest, in seconds after power-on; required; 0 to 86400"
std::string about(const KeySpec& key) {
  std::string text = key.description;
  if (key.required) text += "; required";
  if (!key.choices.empty()) text += fmt::format("; one of: {}", fmt::join(key.choices, ", "));
  if (key.min && key.max) text += fmt::format("; {} to {}", number(*key.min), number(*key.max));
  if (key.type == Type::Pattern) text += "; a pattern";
  return text;
}

// The default, or the simplest value that is valid.
std::string example(const KeySpec& key) {
  if (!key.example.empty()) return nlohmann::json(key.example).dump();
  if (!key.fallback.is_null()) {
    if (!key.fallback.is_string()) return key.fallback.dump();
    const std::string text = key.fallback.get<std::string>();
    // A line end would end the comment that this stands in; JSON's double quotes are YAML's.
    const bool plain = std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20; });
    return plain ? fmt::format("'{}'", text) : key.fallback.dump();
  }
  if (!key.choices.empty()) return key.choices.front();
  if (key.type == Type::Boolean) return "false";
  if (key.type == Type::Integer || key.type == Type::Number) return number(key.min.value_or(1));
  return "'...'";
}

void describe(std::string& out, const KeySpec& key, const std::string& indent) {
  switch (key.type) {
    case Type::Map:
      out += fmt::format("{}{}:  # {}\n", indent, key.name, about(key));
      for (const auto& child : key.children) describe(out, child, indent + "  ");
      return;
    case Type::List: {
      out += fmt::format("{}{}:  # {}\n", indent, key.name, about(key));
      const auto& item = key.children.at(0);
      if (item.type != Type::Map) {
        out += fmt::format("{}  - {}\n", indent, example(item));
        return;
      }
      std::string lines;
      for (const auto& child : item.children) describe(lines, child, indent + "    ");
      lines[indent.size() + 2] = '-';
      out += lines;
      return;
    }
    case Type::OpenMap:
      out += fmt::format("{}{}:  # {}\n", indent, key.name, about(key));
      if (!key.children.empty()) out += fmt::format("{}  NAME: {}\n", indent, example(key.children.at(0)));
      return;
    default:
      out += fmt::format("{}{}: {}  # {}\n", indent, key.name, example(key), about(key));
  }
}

// YAML's own word for no value.
bool means_nothing(const std::string& name) { return name == "null" || name == "Null" || name == "NULL"; }

}  // namespace

std::string board_template(const std::string& name, const std::string& schema, const std::string& machine) {
  std::string text = fmt::format(
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# yaml-language-server: $schema={}\n"
      "# Every key that a board may have. Uncomment what this one needs; what is left out has the value shown, where one is a default.\n",
      schema);
  for (const auto& key : board_keys()) {
    if (key.name == "board") {
      text += fmt::format("\nboard: {}  # {}\n", means_nothing(name) ? "'" + name + "'" : name, about(key));
      continue;
    }
    text += "\n";
    if (key.name == "machine" && !machine.empty()) {
      text += machine;
      continue;
    }
    describe(text, key, "# ");
  }
  return text;
}

}  // namespace hilcop
