// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "cli/discovery.h"

namespace hilcop {

/// "relay: { driver: hid-relay, path: '1-1.2' }": an object of `instruments:`, on one line.
std::string yaml_line(const Proposal& proposal);

/// The text of a lab-config file to start from: what is settled as it would stand, the rest as comments, and a DUT as a comment,
/// since nobody can find out which product hangs on what. `hilcop check` takes it as it is.
/// `boards`: names to choose from; `schema`: bench.schema.json as seen from the file.
std::string bench_draft(const std::string& name, const std::vector<Discovered>& found, DriverTable drivers,
                        const std::vector<std::string>& boards, const std::string& schema);

/// Drivers whose instruments cannot be found: "modbus-relay, qemu-machine".
std::string not_looked_for(DriverTable drivers);

}  // namespace hilcop
