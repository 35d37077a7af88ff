// SPDX-License-Identifier: Apache-2.0
#include "cli/port_ranges.h"

#include <charconv>
#include <sstream>

#include "base/error.h"

namespace hilcop {

namespace {

int port_of(std::string_view text, const std::string& part) {
  int port = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (wrong == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535) return port;
  throw Error(ErrorKind::Config, "--ports", "'" + part + "' is no port and no range of ports", "give them as 22,80,8000-8100");
}

}  // namespace

std::vector<int> ports_of(const std::string& text) {
  std::vector<int> ports;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const std::string_view all(part);
    const int first = port_of(all.substr(0, dash), part);
    const int last = dash == std::string::npos ? first : port_of(all.substr(dash + 1), part);
    if (last < first) throw Error(ErrorKind::Config, "--ports", "'" + part + "' ends before it begins", "turn it round");
    for (int port = first; port <= last; ++port) ports.push_back(port);
  }
  return ports;
}

}  // namespace hilcop
