// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

struct ProcessOptions {
  std::filesystem::path program;  // absolute, or looked up in PATH; Error{NotFound} names the Debian package where known
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to this process's
  std::filesystem::path directory;
  bool die_with_parent = true;        // SIGKILL when the thread that started it ends (PDEATHSIG): start from a thread that lives on
  bool kill_descendants = true;       // false: what it leaves behind when it ends by itself may live on (a daemon)
  std::filesystem::path output_file;  // stdout and stderr together; empty: see capture_output
  bool capture_output = false;  // stdout and stderr, a pipe: the last 64 KiB are in output(), however much comes; who writes never waits
  bool own_terminal = false;    // descriptor 0 (see below) is a terminal and becomes that of a session of the child's own
  std::vector<std::pair<int, int>> pass_descriptors;  // {ours, number in the child}; all others are closed
};

struct ExitStatus {
  std::optional<int> code;    // exited
  std::optional<int> signal;  // killed by
  std::string text() const;   // "exit status 3", "killed by SIGKILL"
};

/// A child in a process group of its own, stdin /dev/null. Destroying it kills the group and waits. Waits are by pidfd.
class ChildProcess {
 public:
  /// Throws Error{NotFound, PermissionDenied, Exhausted}, also for a failed exec.
  static std::unique_ptr<ChildProcess> start(ProcessOptions options);
  virtual ~ChildProcess() = default;
  virtual pid_t pid() const = 0;
  virtual bool running() = 0;
  /// nullopt at the deadline. Throws Interrupted.
  virtual std::optional<ExitStatus> wait(Deadline deadline) = 0;
  virtual void signal_group(int signal) = 0;
  /// SIGKILL to the group, then reaps the child; what it left behind is reparented and dead too.
  virtual ExitStatus kill() = 0;
  /// Readable when the child has ended.
  virtual int pidfd() const = 0;
  /// What was captured; complete once the child has ended. Does not block.
  virtual std::string output() const = 0;
};

/// Runs to the end with a hard limit; on the limit the group is killed and Error{Timeout} thrown.
struct ProcessResult {
  ExitStatus status;
  std::string output;
};
ProcessResult run_process(ProcessOptions options, Deadline deadline);

}  // namespace hilcop
