// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "io/serial_ports.h"
#include "io/serial_stream.h"

namespace hilcop {

/// What a serial adapter must be: each field that is given. By any of them alone, where it fits one port.
struct SerialSelector {
  std::optional<std::string> serial = {};   // USB serial number
  std::optional<std::string> path = {};     // USB path: "1-1.2"
  std::optional<std::string> id = {};       // udev's name for it: a link in /dev/serial/by-id
  std::optional<std::string> vid_pid = {};  // "0403:6001"
  std::optional<int> interface = {};        // of an adapter with several ports
  std::string text() const;                 // "{serial: A1B2, interface: 0}"
};

/// The one port of this host that fits. None, or more than one, is an error on `object` that lists what there is and what is known of
/// each: Error{NotFound, Config}. Nothing is taken because it came first.
SerialPort select_serial_port(const SerialSelector& selector, const std::string& object, const DeviceTree& tree = {});

/// Opens it, whatever the number of its node is now; named by what the adapter is, so that it is known again at another port or under
/// another number. Throws as select_serial_port() and open_serial_stream().
std::unique_ptr<ByteStream> open_selected_serial_stream(const SerialSelector& selector, const SerialSettings& settings,
                                                        const std::string& object, const DeviceTree& tree = {});

/// `error` with a line of context for each serial port of this host.
Error with_serial_ports(const Error& error, const DeviceTree& tree = {});

}  // namespace hilcop
