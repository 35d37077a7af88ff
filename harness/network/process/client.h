// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "io/unique_fd.h"
#include "network/process/setup.h"

namespace hilcop {

/// A bench network as whoever started it has it. It lives in a process of its own and ends with this object, and with this process however
/// that ends; nothing is left of it then. Thread-safe. Throws Error: what the network says, Disconnected when its process has died.
class NetworkClient {
 public:
  struct Options {
    NetworkSetup setup;
    std::filesystem::path program;  // the hilcop program
    /// What the network tells by itself: {"event", "steady_ns", "utc_ns", "data"} as in docs/protocol.md. On the reader's thread.
    std::function<void(const nlohmann::json&)> on_event;
  };
  /// From a thread that lives on: the network dies with it. Throws Error{PermissionDenied, Exhausted, NotFound, Timeout}.
  static std::unique_ptr<NetworkClient> start(Options options, Deadline deadline);
  virtual ~NetworkClient() = default;

  /// Operations and answers: docs/protocol.md. Blocks until it is answered. Throws Interrupted too.
  virtual nlohmann::json ask(const std::string& what, const nlohmann::json& how, Deadline deadline) = 0;
  /// A TCP connection from the bench's gateway to the device, for this process to use. Blocks. Throws Error as connect_tcp does,
  /// Interrupted.
  virtual UniqueFd connect(const std::string& address, int port, Deadline deadline) = 0;
  /// Without waiting for the answer, in order with what is asked. Never throws: a network that has died is told where it is asked.
  virtual void tell(const std::string& what, const nlohmann::json& how) noexcept = 0;
  virtual const NetworkSetup& setup() const = 0;
  virtual pid_t pid() const = 0;
  /// Ends the process, which completes what it records: at most until the deadline, then it is killed. Idempotent. Throws Error where it
  /// did not end well: what it recorded may not be whole.
  virtual void close(Deadline deadline) = 0;
};

}  // namespace hilcop
