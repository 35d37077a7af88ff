// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/key_spec.h"

namespace hilcop {

/// `user`, and the password as it is or where it is: `password`, `password_file`, `password_env`.
std::vector<KeySpec> login_keys(const std::string& user = "");

/// What those keys give; empty: no password. Throws Error on `object`: Config (more than one of them, an empty one), NotFound,
/// PermissionDenied. Read where it is used, so that neither the journal nor the protocol of the keeper carries more than lab-config says.
std::string password_of(const nlohmann::json& config, const std::string& object);

}  // namespace hilcop
