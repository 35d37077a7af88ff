// SPDX-License-Identifier: Apache-2.0
#include "console/boot_learning.h"

#include <algorithm>
#include <memory>

#include "console/pattern.h"

namespace hilcop {
namespace {

struct Shape {
  std::string text;  // a control byte where a number stood: no normal line has one
  std::vector<std::string> numbers;
};

// A number: UUID, MAC address, hexadecimal with a digit, decimal with its points.
Shape shape_of(const std::string& normal) {
  static const auto number = CompiledPattern::get(Pattern::regex(
      R"((?i)(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])|(?<![0-9a-z:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-z:])|(?<![0-9a-z])0x[0-9a-f]{1,64}(?![0-9a-z])|(?<![0-9a-z])(?=[a-f]{0,63}[0-9])[0-9a-f]{4,64}(?![0-9a-z])|\d+(?:\.\d+){0,8})"));
  Shape shape;
  std::size_t from = 0;
  while (from < normal.size()) {
    const auto search = number->search(normal, from, true);
    if (!search.found) break;
    shape.text.append(normal, from, search.match.begin - from).append("\x01");
    shape.numbers.push_back(normal.substr(search.match.begin, search.match.end - search.match.begin));
    from = search.match.end;
  }
  shape.text.append(normal, from, std::string::npos);
  return shape;
}

std::string filled(const Shape& shape, const std::vector<bool>& noise) {
  std::string out;
  std::size_t number = 0;
  for (const char c : shape.text) {
    if (c != '\x01') {
      out += c;
      continue;
    }
    out += noise[number] ? "\u2039number\u203a" : shape.numbers[number];
    ++number;
  }
  return out;
}

// Whether two of the sets each have something that the other lacks. Sets of which each holds the next smaller one do not: a boot
// that merely lacks a line says nothing about the numbers of the others.
bool differ(std::vector<std::set<std::string>> sets) {
  std::sort(sets.begin(), sets.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  for (std::size_t i = 1; i < sets.size(); ++i)
    if (!std::includes(sets[i].begin(), sets[i].end(), sets[i - 1].begin(), sets[i - 1].end())) return true;
  return false;
}

}  // namespace

LearnedNoise::LearnedNoise(const std::vector<std::set<std::string>>& boots) {
  if (boots.size() < 2) return;
  std::map<std::string, std::size_t> in_boots;
  for (const auto& boot : boots)
    for (const auto& line : boot) ++in_boots[line];
  std::map<std::string, std::vector<std::vector<Shape>>> rest;  // by shape, then by boot: lines that not every boot has
  for (const auto& boot : boots) {
    std::map<std::string, std::vector<Shape>> own;
    for (const auto& line : boot) {
      if (in_boots[line] == boots.size()) {
        fixed_.insert(line);
        continue;
      }
      auto shape = shape_of(line);
      if (!shape.numbers.empty()) own[shape.text].push_back(std::move(shape));
    }
    for (auto& [text, lines] : own) rest[text].push_back(std::move(lines));
  }
  for (const auto& [text, by_boot] : rest) {
    if (by_boot.size() < 2) continue;
    Learned learned;
    for (std::size_t number = 0; number < by_boot[0][0].numbers.size(); ++number) {
      std::vector<std::set<std::string>> values;
      for (const auto& lines : by_boot) {
        auto& set = values.emplace_back();
        for (const auto& line : lines) set.insert(line.numbers[number]);
      }
      learned.noise.push_back(differ(std::move(values)));
      if (learned.noise.back()) ++size_;
    }
    if (std::find(learned.noise.begin(), learned.noise.end(), true) == learned.noise.end()) continue;
    for (const auto& lines : by_boot)
      for (const auto& line : lines) learned.forms.insert(filled(line, learned.noise));
    shapes_[text] = std::move(learned);
  }
}

std::string LearnedNoise::masked(const std::string& normal) const {
  if (shapes_.empty() || fixed_.contains(normal)) return normal;
  const auto shape = shape_of(normal);
  const auto known = shapes_.find(shape.text);
  if (known == shapes_.end()) return normal;
  auto form = filled(shape, known->second.noise);
  return known->second.forms.contains(form) ? form : normal;
}

}  // namespace hilcop
