// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "io/serial_stream.h"
#include "keeper/driver.h"
#include "keeper/link.h"

namespace hilcop {

/// Keys of an instrument on a serial port: `name` (its path), `usb` (its adapter), `baud`, `parity`.
std::vector<KeySpec> serial_link_keys(int baud, const std::string& name = "port");
/// Of one that is reached by TCP or by a serial port: `host`, `port`, `serial`, `usb`, `baud`, `parity`.
std::vector<KeySpec> link_keys(int tcp_port, int baud);
/// For Driver::objection: exactly one of those that say how it is reached.
std::string link_objection(const InstrumentConfig& instrument);

bool is_serial(const InstrumentConfig& instrument);
/// The path of its serial port now. Throws as SerialChoice::node().
std::string serial_node(const InstrumentConfig& instrument, const std::string& object);
SerialSettings serial_settings(const InstrumentConfig& instrument);
/// "tcp:10.0.0.7:5025" or the canonical path of the serial port.
std::string link_identity(const InstrumentConfig& instrument);
/// "supply 'psu' (10.0.0.7:5025)": what errors call it.
std::string link_object(const std::string& what, const InstrumentConfig& instrument);
/// Not opened yet; a host's address is looked up when it is.
Link make_link(const InstrumentConfig& instrument, const std::string& object, Link::Settle settle);

}  // namespace hilcop
