// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "base/key_spec.h"

namespace hilcop {

/// A secret as it is or where it is: `name`, `name`_file, `name`_env. `what`: "the password".
std::vector<KeySpec> secret_keys(const std::string& name, const std::string& what);
/// `user` and the secret `password`.
std::vector<KeySpec> login_keys(const std::string& user = "");

/// What those keys give; empty: none of them. Throws Error on `object`: Config (more than one of them, an empty one), NotFound,
/// PermissionDenied. Read where it is used, so that neither the journal nor the protocol of the keeper carries more than lab-config says.
std::string secret_of(const nlohmann::json& config, const std::string& name, const std::string& object);
/// Whether any of them is given; for Driver::objection.
bool has_secret(const nlohmann::json& config, const std::string& name);

}  // namespace hilcop
