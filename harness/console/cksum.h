// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace hilcop {

/// What POSIX `cksum | tr ' ' :` prints of these bytes: "CRC:LENGTH".
std::string posix_cksum(std::string_view bytes);
/// What `sha256sum | tr ' ' :` prints of these bytes on its standard input.
std::string sha256sum_of(std::string_view bytes);

}  // namespace hilcop
