// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "base/key_spec.h"

namespace hilcop {

/// The keys of boards/NAME.yaml and of lab-config/NAME.yaml: what the loader checks by.
const std::vector<KeySpec>& board_keys();
const std::vector<KeySpec>& bench_keys();

}  // namespace hilcop
