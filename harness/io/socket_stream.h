// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "io/byte_stream.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A console behind a unix stream socket (a virtual board's serial adapter). No modem lines, no counters.
std::unique_ptr<ByteStream> open_unix_stream(const std::filesystem::path& path, Deadline deadline);
/// A TCP connection, without delay of small writes and with keepalive (a peer that vanished is noticed within 15 s), named "tcp:HOST:PORT".
/// Throws Error on `object`: NotFound (no such host), Disconnected (refused, unreachable), Timeout.
std::unique_ptr<ByteStream> open_tcp_stream(const std::string& host, int port, const std::string& object, Deadline deadline);
/// Around a connected, non-blocking stream socket.
std::unique_ptr<ByteStream> make_socket_stream(UniqueFd fd, std::string name);

}  // namespace hilcop
