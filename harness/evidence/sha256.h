// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace hilcop {

/// SHA-256 in lower-case hex.
std::string sha256_hex(std::string_view bytes);
/// Of a file's content; throws Error where it cannot be read.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace hilcop
