// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace hilcop {

/// What a device says of itself, without the control characters that a terminal or a YAML file would obey.
std::string printable(std::string text);
/// The same of each of its lines; every line of the result has its end.
std::string printable_lines(const std::string& text);

/// Rows as aligned columns under a title, for a terminal; nothing at all without rows. The last column is as long as it is.
std::string table(const std::string& title, const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows);

}  // namespace hilcop
