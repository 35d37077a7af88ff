// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "network/capture/packet_recorder.h"

namespace hilcop {

/// Where a capture of the DUT's network is written: a new file, a FIFO whose reader is there already, or a ring named after `file`. Throws
/// Error: a file is there, a FIFO has no reader, or it is to be a ring.
std::unique_ptr<CaptureFiles> capture_files(const std::filesystem::path& file, const std::optional<CaptureRing>& ring,
                                            const std::string& dut);

/// As docs/protocol.md has them; `with_paths`: also which files they are.
nlohmann::json figures(const PacketRecorderStatus& status, bool with_paths);

}  // namespace hilcop
