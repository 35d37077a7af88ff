// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "io/unique_fd.h"

namespace hilcop {

/// An interface of this namespace whose far end is a descriptor: each read is a whole frame that the kernel sent there, each write one
/// that it receives. Non-blocking, close-on-exec; the interface ends with the last descriptor. No offloads: frames are as on a wire.
/// Throws Error.
UniqueFd make_tap(const std::string& name);

}  // namespace hilcop
