// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include <nlohmann/json.hpp>

#include "base/deadline.h"

namespace hilcop {

/// Runs a program of others against the device, in this network: nmap (which services stand behind open ports), sslscan, ssh-audit. A child
/// in a process group of its own, killed at the deadline. {"tool", "address", "ports"}; result {tool, version, arguments, status, report,
/// took_s}: the report as the program wrote it, not yet read by anybody. Blocks. Throws Error: NotFound (not installed, with the package),
/// Timeout, Protocol (its report is not whole), Config; Interrupted.
nlohmann::json run_tool(const nlohmann::json& how, const std::string& address, const std::string& interface, Deadline deadline);

}  // namespace hilcop
