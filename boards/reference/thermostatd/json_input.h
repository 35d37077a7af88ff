// SPDX-License-Identifier: Apache-2.0
// JSON of somebody else: bounded before it is looked at, and asked for field by field. Refusal 400 says which field and what it wants.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "flaws.h"

namespace ht1 {

inline constexpr std::size_t kMostBody = 64 * 1024, kMostString = 256;
inline constexpr int kMostDepth = 16;

// `most_string`: for files inside an import, which are strings.
nlohmann::json parse_input(const std::string& text, const Flaws& flaws, std::size_t most_string = kMostString);

// An object with these fields at most; each access checks its type and range.
class Fields {
 public:
  Fields(const nlohmann::json& object, std::initializer_list<const char*> known);
  bool has(const char* name) const { return object_.contains(name); }
  std::string text(const char* name, std::size_t most = kMostString) const;
  bool boolean(const char* name) const;
  double number(const char* name, double least, double most) const;
  const nlohmann::json& object(const char* name) const;
  const nlohmann::json& array(const char* name) const;

 private:
  const nlohmann::json& field(const char* name) const;
  const nlohmann::json& object_;
};

}  // namespace ht1
