// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include <nlohmann/json.hpp>

#include "base/key_spec.h"
#include "io/serial_stream.h"

namespace hilcop {

/// Keys of lab-config that set a serial line, wherever it is: baud, data_bits, parity, stop_bits, flow, dtr, rts.
std::vector<KeySpec> serial_line_keys();
/// Of a configuration that was checked by them.
SerialSettings serial_settings(const nlohmann::json& config);

}  // namespace hilcop
