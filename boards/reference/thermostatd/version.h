// SPDX-License-Identifier: Apache-2.0
// Version numbers: up to four numbers with dots between; what is missing is 0.
#pragma once

#include <optional>
#include <string>

namespace ht1 {

// -1, 0, 1; nothing when either is none.
std::optional<int> compare_versions(const std::string& one, const std::string& other);
bool is_version(const std::string& text);

}  // namespace ht1
