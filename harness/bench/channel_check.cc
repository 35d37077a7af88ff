// SPDX-License-Identifier: Apache-2.0
#include "bench/channel_check.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/checked_yaml.h"

namespace hilcop {

namespace {

const char* kind_text(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::Power:
      return "a power output";
    case ChannelKind::Output:
      return "an output";
    case ChannelKind::Input:
      return "an input";
    case ChannelKind::Console:
      return "a console";
    case ChannelKind::Meter:
      return "a meter";
    case ChannelKind::Network:
      return "a network";
  }
  return "?";
}

}  // namespace

std::optional<ChannelObjection> channel_objection(const Driver& driver, const InstrumentConfig& instrument, const std::string& channel,
                                                  const ChannelKinds& kinds) {
  if (!driver.channels) return std::nullopt;
  std::map<std::string, ChannelKind> all;
  for (const auto& one : driver.channels(instrument)) all[one.name] = one.kind;
  ChannelObjection objection;
  for (const auto& [name, kind] : all)
    if (kinds.contains(kind)) objection.choices.push_back(name);
  const auto found = all.find(channel);
  if (found != all.end() && kinds.contains(found->second)) return std::nullopt;
  std::vector<std::string> wanted;
  for (const auto kind : kinds) wanted.emplace_back(kind_text(kind));
  objection.text = found == all.end()
                       ? fmt::format("'{}' is no channel of '{}'{}", channel, instrument.name, nearest(channel, objection.choices))
                       : fmt::format("'{}' of '{}' is {}", channel, instrument.name, kind_text(found->second));
  if (objection.choices.empty()) objection.text += fmt::format("; '{}' has nothing that is {}", instrument.name, fmt::join(wanted, " or "));
  return objection;
}

}  // namespace hilcop
