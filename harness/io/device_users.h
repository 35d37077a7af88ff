// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <string>

namespace hilcop {

/// Other processes that have a character device open, for an error message: "picocom (pid 4711)", or "" if none is seen.
/// Reads /proc; without root only this user's processes can be seen.
std::string other_users_of(dev_t device);

}  // namespace hilcop
