// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "console/console.h"
#include "io/image_file.h"

namespace hilcop {

enum class ModemProtocol { Xmodem, Ymodem };

struct ModemFile {
  std::string name;
  std::uint64_t size = 0;
  ImageFile& content;
};

/// Sends one file to a receiver that has begun to ask for it, in blocks of 1024 bytes with CRC-16 (Forsberg, "XMODEM/YMODEM protocol
/// reference", 1988). Xmodem fills the last block up with 0x1a. Blocks that arrive damaged are sent again. A receiver that is left in the
/// middle is told to cancel. Throws Error{Timeout, Protocol, Disconnected}, Interrupted, and what `progress` throws.
void send_file(Console& console, ModemProtocol protocol, ModemFile file, Deadline deadline,
               const std::function<void(std::uint64_t bytes)>& progress);

}  // namespace hilcop
