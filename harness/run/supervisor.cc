// SPDX-License-Identifier: Apache-2.0
#include "run/supervisor.h"

#include <exception>
#include <mutex>
#include <thread>

#include "base/interrupt.h"
#include "base/paths.h"
#include "evidence/timeline.h"
#include "run/worker_session.h"

namespace hilcop {

using nlohmann::json;

std::filesystem::path event_socket_of(int worker_pid) { return runtime_dir() / ("events-" + std::to_string(worker_pid) + ".sock"); }

void supervise(const RunOptions& options) {
  const auto timeline = Timeline::open({options.run_dir / "timeline" / "supervisor.ndjson", {}, "supervisor"});
  auto planned = json::array();
  for (const auto& dut : options.duts)
    for (const auto& scenario : options.scenarios)
      planned.push_back({{"id", scenario.id},
                         {"title", scenario.title},
                         {"clauses", scenario.clauses},
                         {"dut", dut},
                         {"timeout_s", scenario.timeout(options.effort)}});
  timeline->emit(make_event("supervisor", "plan", {{"scenarios", planned}, {"seed", options.seed}, {"effort", options.effort}}));
  if (options.progress) options.progress({{"kind", "plan"}, {"data", {{"scenarios", planned}}}});
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> sessions;
    for (const auto& dut : options.duts)
      sessions.emplace_back([&, dut] {
        try {
          WorkerSession(options, dut, *timeline).run();
        } catch (...) {
          const std::scoped_lock lock(mutex);
          if (!failure) failure = std::current_exception();
        }
      });
  }
  if (failure) std::rethrow_exception(failure);
  timeline->check();
}

}  // namespace hilcop
