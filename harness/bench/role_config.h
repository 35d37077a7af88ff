// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace hilcop {

/// Where a role of a DUT comes from: an instrument of the same lab-config and a channel of it.
struct RoleConfig {
  std::string instrument;
  std::string channel;
};

}  // namespace hilcop
