// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace hilcop {

// The checkout that a test was built from, and the build folder that it stands in. They are compiled into one small file, so that
// everything else is the same text in every checkout and a compiler cache serves them all.
std::filesystem::path source_dir();
std::filesystem::path build_dir();

}  // namespace hilcop
