// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "io/unique_fd.h"
#include "keeper/client.h"

namespace hilcop {

/// An instrument's identity and a channel of it.
using ChannelKey = std::pair<std::string, std::string>;

/// Where a channel goes when nobody holds it. `inverted`: on and off, here and in the journal, are the opposite of the channel's.
struct RestState {
  SafeState safe_state = SafeState::Off;
  bool inverted = false;
};

/// What the keeper remembers of a channel across its own runs.
struct ChannelMemory {
  std::optional<SteadyTime> off_since;  // within this boot of the host; nullopt: unknown
  std::uint64_t switch_count = 0;
  /// Set while the channel is away from its safe state: what the next keeper needs after a crash.
  std::optional<InstrumentConfig> held;
  RestState rest;
  bool inverted = false;  // how the last switch counted on and off
};

/// The keeper's journal: JSON lines, appended. `hold` is on the disk (fsync) before it returns; the rest is not waited for.
/// A torn or broken line is left out. Opening rewrites the file to what is still true. Throws Error (disk full, no permission).
class Journal {
 public:
  explicit Journal(std::filesystem::path file);
  const std::map<ChannelKey, ChannelMemory>& memory() const { return memory_; }
  ChannelMemory of(const ChannelKey& key) const;

  void hold(const ChannelKey& key, const InstrumentConfig& instrument, RestState rest);
  void safe(const ChannelKey& key);
  void switched(const ChannelKey& key, bool on, bool inverted, SteadyTime when);
  /// It was found off, nobody knows since when: counted from now.
  void found_off(const ChannelKey& key, bool inverted, SteadyTime when);

 private:
  void note_switch(const ChannelKey& key, bool on, bool inverted, SteadyTime when, std::uint64_t count);
  void apply(const nlohmann::json& line);
  void note(const nlohmann::json& line);
  void append(const nlohmann::json& line, bool sync);
  void rewrite();

  std::filesystem::path file_;
  std::string boot_id_;
  std::map<ChannelKey, ChannelMemory> memory_;
  UniqueFd fd_;
};

std::string to_string(SafeState state);
SafeState safe_state_from_string(const std::string& name);

}  // namespace hilcop
