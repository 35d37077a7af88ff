// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "io/byte_stream.h"
#include "io/device_tree.h"
#include "io/unique_fd.h"

namespace hilcop {

enum class Parity { None, Odd, Even, Mark, Space };
enum class FlowControl { None, RtsCts, XonXoff };

struct SerialSettings {
  int baud = 115200;
  int data_bits = 8;  // 5..8
  Parity parity = Parity::None;
  int stop_bits = 1;  // 1 or 2
  FlowControl flow = FlowControl::None;
  /// How the lines stand while the port is open; nullopt: as Linux leaves them. It raises both when it opens a port, before they can
  /// be set.
  std::optional<bool> dtr = true;
  std::optional<bool> rts = true;  // not with FlowControl::RtsCts, which drives it
};

/// A serial port ("/dev/ttyUSB0", or a link to one), for this process alone: refused with Error{Busy} that names who has it open.
/// The lines stay as they are when it is closed. Throws Error{NotFound, PermissionDenied, Busy, Config, Unsupported}.
/// `name`: how it is known again when it comes back under another port; empty: by the port and the adapter's USB identity, to which
/// its USB path belongs where there is no serial number, or another port of this host has the same one.
std::unique_ptr<ByteStream> open_serial_stream(const std::string& port, const SerialSettings& settings, const std::string& name = "",
                                               const DeviceTree& tree = {});

/// The port for this process alone for as long as the descriptor lives, for a library that opens it itself (libmodbus). Same errors.
UniqueFd claim_serial_port(const std::string& port, const std::string& object);

}  // namespace hilcop
