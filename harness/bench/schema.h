// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>

#include "keeper/driver.h"

namespace hilcop {

/// JSON Schema (draft-07, which every YAML editor knows) of a lab-config file and of a board file, from the tables that the loader
/// checks by. It refuses nothing that the loader takes; what one value alone cannot tell (names of others) is left to the loader.
nlohmann::ordered_json bench_schema(DriverTable drivers);
nlohmann::ordered_json board_schema(DriverTable drivers);

}  // namespace hilcop
