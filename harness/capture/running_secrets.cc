// SPDX-License-Identifier: Apache-2.0
#include "capture/running_secrets.h"

#include <algorithm>

namespace hilcop {

void RunningSecrets::add(std::string_view lines) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end);
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || line.front() == '#') continue;
    lines_.push_back({std::string(line), std::string(line.substr(first + 1, second - first - 1))});
    bytes_ += line.size();
  }
  while (bytes_ > most_) {
    auto oldest = std::ranges::find_if(lines_, [](const Line& line) { return line.over != SteadyTime::max(); });
    if (oldest == lines_.end()) oldest = lines_.begin(), ++forgotten_;
    drop(oldest);
  }
}

void RunningSecrets::over(std::string_view client_random, SteadyTime at) {
  for (auto& line : lines_)
    if (line.random == client_random) line.over = std::min(line.over, at);
}

std::string RunningSecrets::lines(SteadyTime now) {
  std::string text;
  for (auto line = lines_.begin(); line != lines_.end();) {
    const auto next = std::next(line);
    if (line->over != SteadyTime::max() && now - line->over > kLinger)
      drop(line);
    else
      text += line->text;
    line = next;
  }
  return text;
}

void RunningSecrets::drop(std::list<Line>::iterator line) {
  bytes_ -= line->text.size();
  lines_.erase(line);
}

}  // namespace hilcop
