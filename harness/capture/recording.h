// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "capture/packet_recorder.h"

namespace hilcop {

/// Where a capture is written: a new file, a FIFO whose reader is there already, or a ring named after `file`. `comment` stands
/// in its head. Throws Error: a file is there, a FIFO has no reader, or it is to be a ring.
std::unique_ptr<CaptureFiles> capture_files(const std::filesystem::path& file, const std::optional<CaptureRing>& ring,
                                            const std::string& comment);

/// As harness/network/process/docs/protocol.md has them; `with_paths`: also which files they are.
nlohmann::json figures(const PacketRecorderStatus& status, bool with_paths);

}  // namespace hilcop
