// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

namespace hilcop {

/// A new file or none: what is there already is never touched. Throws Error{Config} with `remedy` if it is there, else as writing fails.
void write_new(const std::filesystem::path& file, const std::string& text, const std::string& remedy);
/// The file with that text, or as it was. Throws Error.
void replace_file(const std::filesystem::path& file, const std::string& text);

}  // namespace hilcop
