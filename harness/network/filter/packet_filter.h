// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "network/filter/filter_rules.h"

namespace hilcop {

/// The kernel's rules of the network namespace that it was made in (nf_tables, by libnftables). Each state replaces the one before at once
/// and whole. Not thread-safe.
class PacketFilter {
 public:
  PacketFilter();
  ~PacketFilter();
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  /// Throws Error: Config for a state that makes no sense, Unsupported where this kernel cannot; what was before is in force then.
  void set(const FilterState& state);
  /// Packets that met each rule since the first set(); of two that say the same, together. Throws Error.
  std::map<std::string, std::uint64_t> counts();

 private:
  std::string run(const std::string& commands);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilcop
