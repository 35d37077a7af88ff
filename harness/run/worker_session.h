// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/error.h"
#include "evidence/timeline.h"
#include "io/child_process.h"
#include "io/unix_socket.h"
#include "run/supervisor.h"

namespace hilcop {

/// Runs the scenarios of one DUT: starts its worker, asks for one scenario after another, interrupts and kills what is over its
/// time, starts a new worker for the rest. run() blocks; call it from a thread that lives as long as the worker may.
class WorkerSession {
 public:
  WorkerSession(const RunOptions& options, std::string dut, Timeline& timeline)
      : options_(options), dut_(std::move(dut)), timeline_(timeline) {}
  void run();

 private:
  enum class Outcome { Done, Lost };
  /// The error of a worker that could not open its bench.
  std::optional<Error> start();
  Outcome run_scenario(const ScenarioInfo& scenario);
  void stop(const std::string& reason);
  void lose(const ScenarioInfo& scenario, const Error& error);
  std::optional<nlohmann::json> hear(Deadline deadline);
  void watch_events(const std::stop_token& stop, const std::filesystem::path& socket) const;

  const RunOptions& options_;
  std::string dut_;
  Timeline& timeline_;
  std::unique_ptr<ChildProcess> worker_;
  std::unique_ptr<JsonLines> control_;
  bool pipe_lost_ = false;
  std::jthread watcher_;
};

}  // namespace hilcop
