// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace hilcop {

/// A scenario file that runs as it is, with a control and a check that judges. `function`: its name in Python.
std::string scenario_template(const std::string& id, const std::string& function);

}  // namespace hilcop
