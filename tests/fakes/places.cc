// SPDX-License-Identifier: Apache-2.0
#include "fakes/places.h"

namespace hilcop {

std::filesystem::path source_dir() { return HILCOP_SOURCE_DIR; }
std::filesystem::path build_dir() { return HILCOP_BUILD_DIR; }

}  // namespace hilcop
