// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/deadline.h"

namespace hilcop {

/// The IP address of a host as text; an address is itself. Blocks until a name server has answered, at most until the deadline.
/// Throws Error{NotFound, Timeout} on `object`. Ask once, when opening: what is done later must not wait for a name server.
std::string numeric_host(const std::string& host, const std::string& object, Deadline deadline);

}  // namespace hilcop
