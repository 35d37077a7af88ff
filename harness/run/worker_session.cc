// SPDX-License-Identifier: Apache-2.0
#include "run/worker_session.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "base/interrupt.h"
#include "base/paths.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr Nanoseconds kOpenLimit = 90s;  // a worker opens its bench, queueing aside
constexpr Nanoseconds kLastMoment = 2s;  // the end of a worker's pipe closes a little before the process itself has ended
constexpr int kControlFd = 3;

std::string last_output(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

}  // namespace

void WorkerSession::run() {
  int deaths = 0;
  for (std::size_t next = 0; next < options_.scenarios.size(); ++next) {
    const auto& scenario = options_.scenarios[next];
    if (!worker_) {
      const auto failed = deaths > 2 ? std::optional(Error(ErrorKind::Disconnected, "worker of dut " + dut_, "died three times")) : start();
      if (failed) {
        // A bench that cannot be opened judges nothing: every scenario that is left is an Error, none a Pass or a Fail.
        for (; next < options_.scenarios.size(); ++next) lose(options_.scenarios[next], *failed);
        break;
      }
    }
    if (run_scenario(scenario) == Outcome::Lost) ++deaths;
  }
  if (worker_) stop("end");
}

std::optional<Error> WorkerSession::start() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw error_from_errno(errno, "worker of dut " + dut_, "make a socket pair");
  UniqueFd ours(ends[0]), theirs(ends[1]);
  // The worker reads its end with blocking calls.
  ::fcntl(theirs.get(), F_SETFL, ::fcntl(theirs.get(), F_GETFL) & ~O_NONBLOCK);
  auto paths = json::array();
  for (const auto& path : options_.scenario_paths) paths.push_back(path.string());
  const json settings{{"control_fd", kControlFd},
                      {"bench", options_.bench.string()},
                      {"boards_dir", options_.boards_dir.string()},
                      {"dut", dut_},
                      {"run_dir", options_.run_dir.string()},
                      {"runtime_dir", runtime_dir().string()},
                      {"keeper_socket", ""},
                      {"seed", options_.seed},
                      {"effort", options_.effort},
                      {"scenario_paths", paths},
                      {"wait_s", options_.wait_s},
                      {"faults", options_.faults},
                      {"holder", "hilcop run " + std::to_string(::getpid())}};
  const auto output = options_.run_dir / ("worker-" + dut_ + ".out");
  ProcessOptions process;
  process.program = options_.python.interpreter;
  process.arguments = options_.python.worker;
  process.environment = {{"HILCOP_WORKER", settings.dump()},
                         {"PYTHONPATH", options_.python.package_dir.string()},
                         {"PYTHONDONTWRITEBYTECODE", "1"},
                         {"PYTHONUNBUFFERED", "1"}};
  if (std::getenv("HILCOP_PROGRAM") == nullptr)
    process.environment["HILCOP_PROGRAM"] = std::filesystem::read_symlink("/proc/self/exe").string();
  process.output_file = output;
  process.pass_descriptors = {{theirs.get(), kControlFd}};
  process.die_with_parent = false;  // it sees its control pipe close, and closes its bench
  worker_ = ChildProcess::start(std::move(process));
  theirs.reset();
  control_ = std::make_unique<JsonLines>(std::move(ours), "worker of dut " + dut_);
  pipe_lost_ = false;
  timeline_.emit(make_event("supervisor", "worker.start", {{"dut", dut_}, {"pid", worker_->pid()}}));
  const auto limit = Deadline::in(kOpenLimit + std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(options_.wait_s)));
  auto answer = hear(limit);
  for (; answer && answer->value("op", "") == "waiting"; answer = hear(limit))
    if (options_.progress) options_.progress({{"kind", "waiting"}, {"data", {{"dut", dut_}, {"text", answer->value("text", "")}}}});
  if (answer && answer->value("op", "") == "ready") {
    watcher_ = std::jthread([this, socket = event_socket_of(worker_->pid())](const std::stop_token& stop) { watch_events(stop, socket); });
    return std::nullopt;
  }
  Error why(ErrorKind::Timeout, "worker of dut " + dut_, "did not open its bench in time", "see " + output.string());
  if (answer && answer->value("op", "") == "failed")
    why = Error::from_json(answer->at("error"));
  else if (pipe_lost_ && worker_->wait(Deadline::in(kLastMoment)))
    why = Error(ErrorKind::Disconnected, "worker of dut " + dut_, "ended while it opened its bench: " + last_output(output),
                "see " + output.string());
  stop("bench not open");
  return why;
}

// The next line of the worker; nullopt when it has died, or at the deadline.
std::optional<json> WorkerSession::hear(Deadline deadline) {
  try {
    return control_->receive(deadline);
  } catch (const Error&) {
    pipe_lost_ = true;
    return std::nullopt;  // it closed the pipe, or writes nonsense: a worker like that is as good as dead
  }
}

WorkerSession::Outcome WorkerSession::run_scenario(const ScenarioInfo& scenario) {
  const double limit_s = scenario.timeout(options_.effort);
  const auto limit = std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(limit_s));
  std::optional<json> answer;
  try {
    control_->send({{"op", "run"}, {"id", scenario.id}, {"attempt", 1}, {"timeout_s", limit_s}}, Deadline::in(5s));
    answer = hear(Deadline::in(limit));
    if (!answer && !pipe_lost_ && worker_->running()) {
      // Over its time: an exception in its main thread first, then the end of the whole group.
      ::kill(worker_->pid(), SIGUSR1);
      answer = hear(Deadline::in(options_.grace));
    }
  } catch (const Error&) {
    answer.reset();
  } catch (const Interrupted&) {
    stop("interrupted");
    throw;
  }
  if (answer && answer->value("op", "") == "done" && answer->value("id", "") == scenario.id) return Outcome::Done;
  const auto status = worker_->wait(Deadline::in(pipe_lost_ ? kLastMoment : Nanoseconds(0)));
  const bool ran = !status;
  lose(scenario, ran ? Error(ErrorKind::Timeout, "worker of dut " + dut_, "did not answer and was killed", "see where the scenario hangs")
                     : Error(ErrorKind::Disconnected, "worker of dut " + dut_, "died: " + (status ? status->text() : "?"),
                             "see worker-" + dut_ + ".out"));
  stop(ran ? "killed" : "died");
  return Outcome::Lost;
}

void WorkerSession::lose(const ScenarioInfo& scenario, const Error& error) {
  const json data{{"id", scenario.id}, {"dut", dut_}, {"error", error.to_json()}};
  timeline_.emit(make_event("supervisor", "scenario.lost", data));
  if (options_.progress) options_.progress({{"kind", "scenario.lost"}, {"data", data}});
}

void WorkerSession::stop(const std::string& reason) {
  const bool orderly = reason == "end" || reason == "bench not open";
  if (worker_->running()) {
    if (reason == "interrupted") ::kill(worker_->pid(), SIGINT);
    if (orderly) {
      try {
        control_->send({{"op", "end"}}, Deadline::in(1s));
      } catch (const Error&) {
        // It is going anyway.
      }
    }
    // Not interruptible: the worker's way to its safe states is what we wait for.
    pollfd ended{worker_->pidfd(), POLLIN, 0};
    if (orderly || reason == "interrupted") ::poll(&ended, 1, static_cast<int>(options_.grace / 1ms) + 5000);
  }
  std::error_code ignored;
  std::filesystem::remove(event_socket_of(worker_->pid()), ignored);
  const auto status = worker_->kill();
  timeline_.emit(make_event("supervisor", "worker.end",
                            {{"dut", dut_},
                             {"status", status.code ? json(*status.code) : json()},
                             {"signal", status.signal ? json(*status.signal) : json()},
                             {"reason", reason}}));
  watcher_ = {};
  control_.reset();
  worker_.reset();
}

void WorkerSession::watch_events(const std::stop_token& stop, const std::filesystem::path& socket) const {
  try {
    JsonLines events(connect_unix(socket, Deadline::in(5s)), "events of dut " + dut_);
    while (!stop.stop_requested())
      if (const auto event = events.receive(Deadline::in(100ms)); event && options_.progress) options_.progress(*event);
  } catch (const std::exception&) {
    // The worker has ended, or we were interrupted: there is nothing more to watch. The timeline file has it all.
  }
}

}  // namespace hilcop
