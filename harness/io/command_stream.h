// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/byte_stream.h"

namespace hilcop {

struct CommandOptions {
  std::string program;  // absolute, or looked up in PATH
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to this process's; not shown anywhere
  std::filesystem::path directory;
  bool terminal = true;  // its input and output are a pseudo-terminal in raw mode, of a session of its own; false: a socket
};

/// The input and output of a program as a console; what it says on stderr is not the console's, and told when it ends. It dies with
/// the stream, and with the thread that opened it. Throws Error{NotFound, PermissionDenied, Exhausted}.
std::unique_ptr<ByteStream> open_command_stream(const CommandOptions& options);

}  // namespace hilcop
