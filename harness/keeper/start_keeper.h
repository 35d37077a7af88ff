// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "keeper/client.h"

namespace hilcop {

/// Starts `<program> keeper --socket S`, detached from this process, terminal and group; its output goes to
/// state_dir()/keeper.log. Returns at once; a second keeper on the same socket ends by itself. Throws Error{NotFound}.
void start_keeper(const KeeperClient::Options& options);

/// Where the hilcop program is: options.program, $HILCOP_PROGRAM, or `hilcop` beside this executable.
std::filesystem::path keeper_program(const KeeperClient::Options& options);

}  // namespace hilcop
