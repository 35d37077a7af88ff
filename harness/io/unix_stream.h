// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>

#include "base/deadline.h"
#include "io/byte_stream.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A console behind a unix stream socket (a virtual board's serial adapter). No modem lines, no counters.
std::unique_ptr<ByteStream> open_unix_stream(const std::filesystem::path& path, Deadline deadline);
/// Around a connected, non-blocking stream socket.
std::unique_ptr<ByteStream> make_socket_stream(UniqueFd fd, std::string name);

}  // namespace hilcop
