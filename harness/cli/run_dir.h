// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

namespace hilcop {

/// A new directory for evidence: `out`, else runs/<time>-<name>. One that is there already is never written into: Error{Config}.
std::filesystem::path new_run_dir(const std::string& out, const std::string& name);

}  // namespace hilcop
