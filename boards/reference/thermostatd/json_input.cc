// SPDX-License-Identifier: Apache-2.0
#include "json_input.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "error.h"

namespace ht1 {
namespace {

using nlohmann::json;

bool has_control_characters(const std::string& text, bool of_a_file) {
  return std::any_of(text.begin(), text.end(), [&](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && !(of_a_file && (u == '\n' || u == '\t'))) || u == 0x7f;
  });
}

// The flaw: what a client sends is put into a field of fixed size, unmeasured.
[[gnu::noinline]] char copied_unmeasured(const std::string& text) {
  volatile char field[1024];
  for (std::size_t i = 0; i <= text.size(); ++i) field[i] = text.c_str()[i];
  return field[0];
}

}  // namespace

json parse_input(const std::string& text, const Flaws& flaws, std::size_t most_string) {
  if (text.size() > kMostBody) throw Refusal(413, "the body has more than 64 KiB");
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= kMostDepth) throw Refusal(400, "JSON deeper than 16");
      keys.resize(static_cast<std::size_t>(depth) + 1);
      keys.emplace_back();
    }
    if (event != Event::key && !(event == Event::value && parsed.is_string())) return true;
    const auto& string = parsed.get_ref<const std::string&>();
    if (flaws.has("crash-on-long-json"))
      copied_unmeasured(string);
    else if (string.size() > most_string)
      throw Refusal(400, "a string has more than " + std::to_string(most_string) + " bytes");
    if (has_control_characters(string, most_string > kMostString)) throw Refusal(400, "a string has control characters in it");
    if (event == Event::key && !keys.at(static_cast<std::size_t>(depth)).insert(string).second)
      throw Refusal(400, "the field '" + string + "' is there twice");
    return true;
  };
  try {
    return json::parse(text, check);
  } catch (const json::exception&) {
    throw Refusal(400, "the body is not JSON");
  }
}

Fields::Fields(const json& object, std::initializer_list<const char*> known) : object_(object) {
  if (!object.is_object()) throw Refusal(400, "an object is wanted");
  for (const auto& [name, value] : object.items())
    if (std::find_if(known.begin(), known.end(), [&name = name](const char* one) { return name == one; }) == known.end())
      throw Refusal(400, "no field '" + name + "' is known here");
}

const json& Fields::field(const char* name) const {
  const auto found = object_.find(name);
  if (found == object_.end()) throw Refusal(400, std::string("the field '") + name + "' is missing");
  return *found;
}

std::string Fields::text(const char* name, std::size_t most) const {
  const auto& value = field(name);
  if (!value.is_string()) throw Refusal(400, std::string("'") + name + "' has to be a string");
  auto string = value.get<std::string>();
  if (string.size() > most) throw Refusal(400, std::string("'") + name + "' may have at most " + std::to_string(most) + " bytes");
  return string;
}

bool Fields::boolean(const char* name) const {
  const auto& value = field(name);
  if (!value.is_boolean()) throw Refusal(400, std::string("'") + name + "' has to be true or false");
  return value.get<bool>();
}

double Fields::number(const char* name, double least, double most) const {
  const auto& value = field(name);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= least && number <= most)) {
    auto range = json(least).dump() + " to " + json(most).dump();
    throw Refusal(400, std::string("'") + name + "' has to be a number from " + range);
  }
  return number;
}

const json& Fields::object(const char* name) const {
  const auto& value = field(name);
  if (!value.is_object()) throw Refusal(400, std::string("'") + name + "' has to be an object");
  return value;
}

const json& Fields::array(const char* name) const {
  const auto& value = field(name);
  if (!value.is_array()) throw Refusal(400, std::string("'") + name + "' has to be an array");
  return value;
}

}  // namespace ht1
