// SPDX-License-Identifier: Apache-2.0
// What the keeper says of its channels, and what it does with those that nobody leases.
#include "base/log.h"
#include "keeper/channels.h"

namespace hilcop {

nlohmann::json Channels::status_of(std::uint64_t id) const {
  const auto& key = leases_.at(id).key;
  const auto memory = journal_.of(key);
  nlohmann::json status{{"switch_count", memory.switch_count}, {"off_since_ns", nullptr}};
  if (memory.off_since) status["off_since_ns"] = to_ns(*memory.off_since);
  return status;
}

nlohmann::json Channels::status() const {
  auto list = nlohmann::json::array();
  for (const auto& [key, channel] : channels_) {
    const auto memory = journal_.of(key);
    nlohmann::json entry{{"instrument", key.first}, {"channel", key.second}, {"switch_count", memory.switch_count}};
    entry["on"] = channel.state ? nlohmann::json(*channel.state) : nlohmann::json();
    entry["away_from_safe_state"] = memory.held.has_value();
    if (const auto lease = leases_.find(channel.lease); lease != leases_.end()) {
      entry["held_by"] = {{"holder", lease->second.holder}, {"pid", lease->second.pid}, {"since", lease->second.since}};
      if (lease->second.supply) entry["supply"] = lease->second.supply->name;
    }
    entry["waits_to_switch_on"] = on_waits(channel);
    entry["switching"] = channel.busy;
    entry["queued_switches"] = channel.switches.size();
    entry["given_back"] = channel.restoring;
    entry["waiting"] = channel.waiters.size();
    list.push_back(entry);
  }
  return list;
}

std::vector<ChannelKey> Channels::restore_unleased(const EachRestored& each) {
  std::vector<ChannelKey> begun;
  const auto memory = journal_.memory();
  for (const auto& [key, channel] : memory) {
    if (!channel.held || channels_[key].lease != 0) continue;
    if (find_driver(drivers_, channel.held->driver) == nullptr) {
      log(LogLevel::Error, "keeper: {} {}: no driver '{}' any more: bring it to its safe state by hand", key.first, key.second,
          channel.held->driver);
      continue;
    }
    begun.push_back(key);
    restore(key, *channel.held, channel.rest, false, [key = key, each](const Error* left_away) {
      if (each) each(key, left_away);
    });
  }
  return begun;
}

std::vector<std::uint64_t> Channels::all_leases() const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, lease] : leases_) ids.push_back(id);
  return ids;
}

bool Channels::quiet() const {
  for (const auto& [key, channel] : channels_)
    if (channel.lease != 0 || !channel.waiters.empty()) return false;
  for (const auto& [key, channel] : journal_.memory())
    if (channel.held) return false;
  return true;
}

}  // namespace hilcop
