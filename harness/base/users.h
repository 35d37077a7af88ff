// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>

namespace hilcop {

/// As people know them; the number where nobody has given it a name.
std::string user_name(uid_t uid);
std::string group_name(gid_t gid);
/// nullopt: there is no such group.
std::optional<gid_t> group_of_name(const std::string& name);

}  // namespace hilcop
