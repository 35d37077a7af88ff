// SPDX-License-Identifier: Apache-2.0
#include "keeper/start_keeper.h"

#include <cstdlib>

#include "base/error.h"
#include "base/paths.h"
#include "io/child_process.h"

namespace hilcop {

std::filesystem::path keeper_program(const KeeperClient::Options& options) {
  if (!options.program.empty()) return options.program;
  if (const char* named = std::getenv("HILCOP_PROGRAM"); named != nullptr && *named != '\0') return named;
  std::error_code failed;
  const auto beside = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "hilcop";
  if (!failed && std::filesystem::exists(beside)) return beside;
  throw Error(ErrorKind::NotFound, "keeper", "the hilcop program that would serve it is not known", "set HILCOP_PROGRAM to it");
}

void start_keeper(const KeeperClient::Options& options) {
  // `setsid --fork` of util-linux: the keeper gets a session of its own and is nobody's child, so that no end of ours ends it.
  ProcessOptions process;
  process.program = "setsid";
  process.arguments = {"--fork", keeper_program(options).string(), "keeper", "--socket", options.socket.string()};
  process.output_file = state_dir() / "keeper.log";
  process.directory = "/";
  process.die_with_parent = false;
  process.kill_descendants = false;
  auto child = ChildProcess::start(std::move(process));
  if (!child->wait(Deadline::in(5s)))
    throw Error(ErrorKind::Timeout, "keeper", "could not be started in 5 s", "see whether this machine is overloaded");
}

}  // namespace hilcop
