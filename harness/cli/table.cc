// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace hilcop {
namespace {

// Code points, not bytes.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string printable(std::string text) {
  using nlohmann::json;
  text = json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();  // UTF-8, whatever it was
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) text[i] = '?';
    // C1 controls, in UTF-8: 0xc2 0x80 to 0xc2 0x9f.
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) text[i] = text[i + 1] = '?';
  }
  return text;
}

std::string printable_lines(const std::string& text) {
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    safe += printable(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return safe;
}

std::string table(const std::string& title, const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "";
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths.push_back(width(columns[i]));
    for (const auto& row : rows) widths[i] = std::max(widths[i], width(row.at(i)));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = "  ";
    for (std::size_t i = 0; i < cells.size(); ++i) text += cells[i] + std::string(widths[i] - width(cells[i]) + 2, ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text = "\n" + title + "\n" + line(columns);
  for (const auto& row : rows) text += line(row);
  return text;
}

}  // namespace hilcop
