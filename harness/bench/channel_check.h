// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "keeper/driver.h"

namespace hilcop {

/// What a role can be given: kSwitches for power, reset, buttons, outputs and a mux.
using ChannelKinds = std::set<ChannelKind>;
inline const ChannelKinds kSwitches{ChannelKind::Power, ChannelKind::Output}, kReadLines{ChannelKind::Input, ChannelKind::Output},
    kConsoles{ChannelKind::Console}, kMeters{ChannelKind::Meter}, kNetworks{ChannelKind::Network};

struct ChannelObjection {
  std::string text;                  // "'prot' is no channel of 'lan'; did you mean 'port'?"
  std::vector<std::string> choices;  // channels that would do
};

/// Why an instrument's channel cannot be what a role needs; nothing: it can, or the driver does not tell before it is opened.
std::optional<ChannelObjection> channel_objection(const Driver& driver, const InstrumentConfig& instrument, const std::string& channel,
                                                  const ChannelKinds& kinds);

}  // namespace hilcop
