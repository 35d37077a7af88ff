// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "io/serial_stream.h"
#include "keeper/driver.h"
#include "keeper/link.h"

namespace hilcop {

/// Keys of an instrument on a serial port: `name` (its path), `baud`, `parity`.
std::vector<KeySpec> serial_link_keys(const std::string& name, bool required, int baud);
/// Of one that is reached by TCP or by a serial port: `host`, `port`, `serial`, `baud`, `parity`.
std::vector<KeySpec> link_keys(int tcp_port, int baud);
/// For Driver::objection: exactly one of `host` and `serial`.
std::string link_objection(const InstrumentConfig& instrument);

bool is_serial(const InstrumentConfig& instrument);
/// Two names of one port are one port.
std::string canonical_port(const std::string& port);
SerialSettings serial_settings(const InstrumentConfig& instrument);
/// "tcp:10.0.0.7:5025" or the canonical path of the serial port.
std::string link_identity(const InstrumentConfig& instrument);
/// "supply 'psu' (10.0.0.7:5025)": what errors call it.
std::string link_object(const std::string& what, const InstrumentConfig& instrument);
/// Not opened yet; a host's address is looked up when it is.
Link make_link(const InstrumentConfig& instrument, const std::string& object, Link::Settle settle);

}  // namespace hilcop
