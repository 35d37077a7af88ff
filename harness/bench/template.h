// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace hilcop {

/// A board file for a new product: valid as it is, every key of the loader's table as a comment with its description. `schema`: the
/// JSON Schema as editors find it from there; `machine`: lines of its `machine:` part, or empty.
std::string board_template(const std::string& name, const std::string& schema, const std::string& machine);

}  // namespace hilcop
