// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A TCP connection out of this network, to an address without a name ("10.77.0.50", "fe80::1" at `interface`). Blocks. Throws Error:
/// Disconnected (nobody listens), Timeout, NotFound (no way there), Config; Interrupted. The socket is blocking, close-on-exec.
UniqueFd connect_tcp(const std::string& address, int port, const std::string& interface, Deadline deadline);

}  // namespace hilcop
