// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "bench/config.h"

namespace hilcop {

/// The state of everything on a bench and who holds it, as leases, the keeper and the file system tell: {"bench", "file", "keeper",
/// "duts", "consoles", "supplies", "instruments", "held"}. Opens no instrument, starts no keeper, switches nothing. Blocks 4 s at most.
nlohmann::json bench_state(const BenchConfig& bench, DriverTable drivers);

}  // namespace hilcop
