// SPDX-License-Identifier: Apache-2.0
#include "keeper/output_board.h"

#include <algorithm>

#include "base/error.h"

namespace hilcop {

std::vector<Channel> OutputBoard::numbered(int count, const std::string& detail) {
  std::vector<Channel> list;
  for (int n = 1; n <= count; ++n) list.push_back({std::to_string(n), ChannelKind::Output, detail + " " + std::to_string(n)});
  return list;
}

std::size_t OutputBoard::index_of(const std::string& channel) const {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) { return c.name == channel; });
  if (found != channels_.end()) return static_cast<std::size_t>(found - channels_.begin());
  std::string list;
  constexpr std::size_t kShown = 8;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    if (i >= kShown && i + 1 < channels_.size()) continue;
    list += (i == 0 ? "" : i >= kShown ? " ... " : ", ") + channels_[i].name;
  }
  throw Error(ErrorKind::NotFound, "channel '" + channel + "' of " + object_, "there is none", "choose one of: " + list);
}

SwitchResult OutputBoard::set(const std::string& channel, bool on, const nlohmann::json& options, Deadline deadline) {
  const auto index = index_of(channel);
  if (!options.empty())
    throw Error(ErrorKind::Unsupported, "channel '" + channel + "' of " + object_, "a relay has no options such as a loss mode",
                "leave them out, or use a board that QEMU can be");
  if (channels_[index].kind != ChannelKind::Output && channels_[index].kind != ChannelKind::Power)
    throw Error(ErrorKind::Unsupported, "channel '" + channel + "' of " + object_, "is no output", "choose an output of it in lab-config");
  SwitchResult result;
  result.commanded = real_clock().now();
  write(index, on, deadline);
  result.acknowledged = real_clock().now();
  result.read_back = read(index, deadline);
  return result;
}

std::optional<bool> OutputBoard::get(const std::string& channel, Deadline deadline) { return read(index_of(channel), deadline); }

std::optional<bool> OutputBoard::read(std::size_t, Deadline) { return std::nullopt; }

}  // namespace hilcop
