// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Hands a descriptor to the process at the other end of a unix stream socket, with a number that says what for (SCM_RIGHTS, unix(7)). The
/// sender keeps its own. Blocks until the deadline at most. Throws Error{Disconnected, Timeout}.
void send_descriptor(int socket, std::uint64_t number, int descriptor, Deadline deadline);

struct PassedDescriptor {
  std::uint64_t number = 0;
  UniqueFd fd;  // close-on-exec
};
/// One that is there; nullopt at the deadline. Throws Error{Disconnected, Protocol}, Interrupted.
std::optional<PassedDescriptor> receive_descriptor(int socket, Deadline deadline);

}  // namespace hilcop
