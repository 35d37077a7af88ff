// SPDX-License-Identifier: Apache-2.0
#include "bench/checked_yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>

#include "console/pattern.h"
#include "evidence/sha256.h"

namespace hilcop {
namespace {

using nlohmann::json;
using Type = KeySpec::Type;

constexpr std::size_t kLargestFile = 4u << 20;
constexpr int kDeepest = 40;
constexpr std::size_t kMostNodes = 100'000;

std::string join(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }

// YAML to JSON with the position of every node. Scalars stay strings until the table says what they are.
class Reader {
 public:
  Reader(CheckedFile& file, std::vector<ConfigProblem>& problems) : file_(file), problems_(problems) {}

  json read(const YAML::Node& node, const std::string& path, int depth) {
    file_.positions[path] = {node.Mark().line + 1, node.Mark().column + 1};
    if (depth > kDeepest || ++nodes_ > kMostNodes) {
      if (!refused_) problems_.push_back(file_.problem(path, "nested too deep, or too large (aliases that multiply?)"));
      refused_ = true;
      return nullptr;
    }
    if (node.IsMap()) return read_map(node, path, depth);
    if (node.IsSequence()) {
      json list = json::array();
      for (std::size_t i = 0; i < node.size() && !refused_; ++i) list.push_back(read(node[i], join(path, std::to_string(i)), depth + 1));
      return list;
    }
    if (node.IsScalar()) return node.Scalar();
    return nullptr;
  }

 private:
  json read_map(const YAML::Node& node, const std::string& path, int depth) {
    json map = json::object();
    for (const auto& entry : node) {
      if (refused_) break;
      if (!entry.first.IsScalar()) {
        problems_.push_back(file_.problem(path, "a key must be a plain word"));
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (map.contains(key)) {
        problems_.push_back({file_.shown, entry.first.Mark().line + 1, entry.first.Mark().column + 1, join(path, key), "given twice", {}});
        continue;
      }
      map[key] = read(entry.second, join(path, key), depth + 1);
      file_.positions["@" + join(path, key)] = {entry.first.Mark().line + 1, entry.first.Mark().column + 1};
    }
    return map;
  }

  CheckedFile& file_;
  std::vector<ConfigProblem>& problems_;
  std::size_t nodes_ = 0;
  bool refused_ = false;
};

bool valid_utf8(const std::string& text) {
  try {
    (void)json(text).dump();
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

const char* name_of(Type type) {
  switch (type) {
    case Type::Integer:
      return "a whole number";
    case Type::Number:
      return "a number";
    case Type::Boolean:
      return "true or false";
    case Type::List:
      return "a list";
    case Type::Map:
    case Type::OpenMap:
      return "a mapping";
    default:
      return "a text";
  }
}

class Checker {
 public:
  Checker(CheckedFile& file, std::vector<ConfigProblem>& problems) : file_(file), problems_(problems) {}

  void map(json& value, const std::string& path, const std::vector<KeySpec>& keys) {
    std::vector<std::string> names;
    for (const auto& key : keys) names.push_back(key.name);
    for (auto it = value.begin(); it != value.end();) {
      if (std::find(names.begin(), names.end(), it.key()) == names.end()) {
        auto problem = file_.problem("@" + join(path, it.key()), "unknown key" + nearest(it.key(), names), names);
        problem.key_path = join(path, it.key());
        problems_.push_back(std::move(problem));
        it = value.erase(it);
      } else {
        ++it;
      }
    }
    for (const auto& key : keys) {
      const std::string at = join(path, key.name);
      if (value.contains(key.name) && !value[key.name].is_null()) {
        if (!one(value[key.name], at, key)) value[key.name] = key.fallback;
      } else {
        if (key.required) problems_.push_back(file_.problem(path, "'" + key.name + "' is missing: " + key.description));
        value[key.name] = key.fallback;
      }
    }
  }

 private:
  bool refuse(const std::string& path, const std::string& message, std::vector<std::string> choices = {}) {
    problems_.push_back(file_.problem(path, message, std::move(choices)));
    return false;
  }

  bool one(json& value, const std::string& path, const KeySpec& key) {
    const bool composite = key.type == Type::Map || key.type == Type::OpenMap || key.type == Type::List;
    const bool fits = key.type == Type::List ? value.is_array() : composite ? value.is_object() : value.is_string();
    if (!fits)
      return refuse(path,
                    std::string("must be ") + name_of(key.type) + (value.is_string() ? ", not '" + value.get<std::string>() + "'" : ""));
    switch (key.type) {
      case Type::Map:
        map(value, path, key.children);
        return true;
      case Type::OpenMap:
        if (key.children.empty()) return true;  // checked later, by a driver's table
        for (auto& [name, entry] : value.items()) one(entry, join(path, name), key.children.at(0));
        return true;
      case Type::List:
        for (std::size_t i = 0; i < value.size(); ++i) one(value[i], join(path, std::to_string(i)), key.children.at(0));
        return true;
      default:
        return scalar(value, path, key);
    }
  }

  bool scalar(json& value, const std::string& path, const KeySpec& key) {
    const std::string text = value.get<std::string>();
    if (!key.choices.empty() && std::find(key.choices.begin(), key.choices.end(), text) == key.choices.end())
      return refuse(path, "'" + text + "' is none of its choices" + nearest(text, key.choices), key.choices);
    if (key.type == Type::Boolean) {
      if (text != "true" && text != "false") return refuse(path, "must be true or false, not '" + text + "'", {"true", "false"});
      value = text == "true";
    } else if (key.type == Type::Integer || key.type == Type::Number) {
      return number(value, text, path, key);
    } else if (key.type == Type::Path) {
      value = std::filesystem::absolute(file_.path.parent_path() / text).lexically_normal().string();
    } else if (key.type == Type::Pattern) {
      try {
        check_pattern(Pattern::regex(text));
      } catch (const Error& error) {
        return refuse(path, error.object() + ": " + error.cause() + "; " + error.remedy());
      }
    }
    return true;
  }

  bool number(json& value, const std::string& text, const std::string& path, const KeySpec& key) {
    std::size_t used = 0;
    double parsed = 0;
    try {
      if (key.type == Type::Integer)
        parsed = static_cast<double>(std::stoll(text, &used, 0));
      else
        parsed = std::stod(text, &used);
    } catch (const std::exception&) {
      used = std::string::npos;
    }
    if (used != text.size() || !std::isfinite(parsed))
      return refuse(path, std::string("must be ") + name_of(key.type) + ", not '" + text + "'");
    if ((key.min && parsed < *key.min) || (key.max && parsed > *key.max)) {
      const auto shown = [](const std::optional<double>& bound) { return bound ? json(*bound).dump() : "..."; };
      return refuse(path, "'" + text + "' is out of range: from " + shown(key.min) + " to " + shown(key.max));
    }
    if (key.type == Type::Integer)
      value = static_cast<std::int64_t>(parsed);
    else
      value = parsed;
    return true;
  }

  CheckedFile& file_;
  std::vector<ConfigProblem>& problems_;
};

std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

bool read_text(CheckedFile& file, std::string& text, std::vector<ConfigProblem>& problems) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file.path, failed)) {
    const bool hidden = failed == std::errc::permission_denied;
    problems.push_back(file.problem("", hidden ? "cannot be looked for: check the permissions of the folders above it"
                                        : failed || !std::filesystem::exists(file.path, failed) ? "there is no such file"
                                                                                                : "is no file"));
    return false;
  }
  if (std::filesystem::file_size(file.path, failed) > kLargestFile) {
    problems.push_back(file.problem("", "is larger than 4 MiB"));
    return false;
  }
  std::ifstream stream(file.path, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  if (!stream.eof() && stream.fail()) {
    problems.push_back(file.problem("", "cannot be read: check its permissions"));
    return false;
  }
  file.sha256 = sha256_hex(text);
  if (text.find('\0') != std::string::npos || !valid_utf8(text)) {
    problems.push_back(file.problem("", "is not UTF-8 text"));
    return false;
  }
  return true;
}

}  // namespace

std::string nearest(const std::string& given, const std::vector<std::string>& choices) {
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(2, given.size() / 3) + 1;
  for (const auto& choice : choices)
    if (const auto d = distance(given, choice); d < least) least = d, best = &choice;
  return best != nullptr ? " (did you mean '" + *best + "'?)" : "";
}

ConfigProblem CheckedFile::problem(const std::string& key_path, std::string message, std::vector<std::string> choices) const {
  std::string at = key_path;
  while (!at.empty() && !positions.contains(at)) at = at.rfind('.') == std::string::npos ? "" : at.substr(0, at.rfind('.'));
  const auto found = positions.find(at);
  const auto [line, column] = found == positions.end() ? std::pair{1, 1} : found->second;
  return {shown, line, column, key_path.starts_with('@') ? key_path.substr(1) : key_path, std::move(message), std::move(choices)};
}

CheckedFile check_file(const std::filesystem::path& path, const std::vector<KeySpec>& keys, std::vector<ConfigProblem>& problems) {
  CheckedFile file;
  file.path = path;
  file.shown = path.lexically_proximate(std::filesystem::current_path()).string();
  if (file.shown.starts_with("../../..")) file.shown = path.string();
  file.value = json::object();
  std::string text;
  if (!read_text(file, text, problems)) return file;
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) {
      problems.push_back(file.problem("", "must be a mapping of keys (is it empty?)"));
      return file;
    }
    file.value = Reader(file, problems).read(root, "", 0);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? 1 : error.mark.line + 1, column = error.mark.is_null() ? 1 : error.mark.column + 1;
    problems.push_back({file.shown, line, column, "", "is not YAML: " + error.msg, {}});
    return file;
  }
  Checker(file, problems).map(file.value, "", keys);
  return file;
}

std::vector<std::string> top_keys(const std::filesystem::path& path) {
  CheckedFile file;
  file.path = path;
  std::vector<ConfigProblem> ignored;
  std::vector<std::string> keys;
  std::string text;
  if (!read_text(file, text, ignored)) return keys;
  try {
    for (const auto& entry : YAML::Load(text))
      if (entry.first.IsDefined() && entry.first.IsScalar()) keys.push_back(entry.first.Scalar());
  } catch (const YAML::Exception&) {
    keys.clear();
  }
  return keys;
}

void check_part(CheckedFile& file, const std::string& key_path, json& value, const std::vector<KeySpec>& keys,
                std::vector<ConfigProblem>& problems) {
  Checker(file, problems).map(value, key_path, keys);
}

}  // namespace hilcop
