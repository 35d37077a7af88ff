// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace hilcop {

/// Shows what the worker of a DUT receives on its consoles, from its event socket, until it ends or Ctrl-C. Exit status.
int watch_console(const std::string& bench, const std::string& dut);

}  // namespace hilcop
