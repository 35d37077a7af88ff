// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hilcop {

/// Takes this process, which must have one thread, into a user namespace and a network namespace of its own, for good: it is root over
/// that network alone, whoever runs it, and what it does there ends with it. Loopback is up. Throws Error{PermissionDenied, Exhausted}
/// where the host does not allow it, saying what would.
void enter_network_namespace();

}  // namespace hilcop
