// SPDX-License-Identifier: Apache-2.0
#include "network/process/serve.h"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/descriptor_passing.h"
#include "io/unix_socket.h"
#include "network/port/connect.h"
#include "network/port/namespace.h"
#include "network/process/bench_network.h"
#include "network/process/status_door.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::chrono::seconds kToSend{10};
constexpr std::size_t kMostWaiting = 32;
constexpr int kLookMs = 1000;

// A watch of many ports, and connections that are caught, have a descriptor each; 1024, as shells give them, is what select(2) can bear,
// which nobody here uses.
void have_all_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

json answer_of(const json& id, const std::function<json()>& action) {
  try {
    return {{"id", id}, {"ok", true}, {"result", action()}};
  } catch (const Error& error) {
    return {{"id", id}, {"ok", false}, {"error", error.to_json()}};
  } catch (const Interrupted&) {
    return {{"id", id}, {"ok", false}, {"error", Error(ErrorKind::Disconnected, "bench network", "ends").to_json()}};
  } catch (const std::exception& error) {  // of JSON above all; in a thread of who waits it would end the process
    const Error wrong(ErrorKind::Protocol, "bench network", std::string("was asked what it does not understand: ") + error.what());
    return {{"id", id}, {"ok", false}, {"error", wrong.to_json()}};
  }
}

/// One network and whoever asks it.
class Service {
 public:
  Service(JsonLines& lines, UniqueFd sockets) : lines_(lines), sockets_(std::move(sockets)) {}
  // Who waits for the device waits no more.
  ~Service() {
    request_interrupt();
    waiters_.clear();
    clear_interrupt();
  }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void run() {
    for (;;) {
      pollfd ready[] = {{lines_.fd(), POLLIN, 0}, {outbox_.fd(), POLLIN, 0}, {door_ ? door_->fd() : -1, POLLIN, 0}};
      if (::poll(ready, 3, door_ ? kLookMs : -1) < 0 && errno != EINTR) throw error_from_errno(errno, "bench network", "cannot wait");
      if (ready[1].revents != 0) send_waiting();
      if (ready[0].revents != 0)
        while (const auto request = lines_.receive_now()) take(*request);
      if (ready[2].revents != 0) door_->answer([this] { return told(); });  // one: however many come, the owner is heard in between
    }
  }

 private:
  void take(const json& request) {
    const auto id = request.value("id", json());
    auto answer = answer_of(id, [&] { return carry_out(request, id); });
    send_waiting();  // what happened before an answer is told before it
    if (!std::exchange(later_, false)) lines_.send(answer, Deadline::in(kToSend));
  }
  void send_waiting() {
    for (const auto& line : outbox_.take()) lines_.send(line, Deadline::in(kToSend));
  }

  json carry_out(const json& request, const json& id) {
    const std::string what = request.at("op");
    const json how = request.value("how", json::object());
    if (what == "setup") return set_up(network_setup_from_json(how));
    if (!network_) throw Error(ErrorKind::Protocol, "bench network", "was not set up");
    const Deadline deadline(from_ns(request.at("deadline_ns")));
    if (what == "connect") return begin_waiting(id, connecting(how), deadline);
    if (auto wait = network_->waiting(what, how)) return begin_waiting(id, std::move(wait), deadline);
    return network_->ask(what, how, deadline);
  }

  json set_up(const NetworkSetup& setup) {
    network_ = std::make_unique<BenchNetwork>(setup, outbox_);
    about_ = {{"bench", setup.bench},
              {"dut", setup.name},
              {"since", to_iso8601(real_clock().utc_now())},
              {"pid", ::getpid()},
              {"owner", ::getppid()}};
    if (!setup.door.empty()) door_ = std::make_unique<StatusDoor>(setup.door);
    return json::object();
  }

  // To those at the door, in the one thread that changes what they are told of.
  json told() const {
    auto all = about_;
    all["status"] = network_->ask("status", json::object(), Deadline::in(kToSend));
    return all;
  }

  std::function<json(Deadline)> connecting(const json& how) {
    return
        [this, address = how.at("address").get<std::string>(), port = how.at("port").get<int>(), number = ++connected_](Deadline deadline) {
          const auto connection = connect_tcp(address, port, BenchNetwork::kGateway, deadline);
          const std::scoped_lock lock(sockets_mutex_);
          send_descriptor(sockets_.get(), number, connection.get(), deadline);
          return json{{"number", number}};
        };
  }

  json begin_waiting(const json& id, std::function<json(Deadline)> wait, Deadline deadline) {
    std::erase_if(waiters_, [](const auto& waiter) { return waiter->done.load(); });
    if (waiters_.size() >= kMostWaiting)
      throw Error(ErrorKind::Busy, "bench network", "is waited for by too many already", "wait for one after the other");
    waiters_.push_back(std::make_unique<Waiter>());
    waiters_.back()->thread = std::jthread([this, id, wait = std::move(wait), deadline, waiter = waiters_.back().get()] {
      outbox_.answer(answer_of(id, [&] { return wait(deadline); }));
      waiter->done = true;
    });
    later_ = true;
    return {};
  }

  struct Waiter {
    std::atomic<bool> done{false};
    std::jthread thread;
  };

  JsonLines& lines_;
  UniqueFd sockets_;
  std::mutex sockets_mutex_;
  std::uint64_t connected_ = 0;
  Outbox outbox_;
  std::unique_ptr<BenchNetwork> network_;
  json about_;
  std::unique_ptr<StatusDoor> door_;
  std::vector<std::unique_ptr<Waiter>> waiters_;
  bool later_ = false;  // the answer comes from who waits
};

}  // namespace

int serve_network(int control, int sockets) {
  have_all_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a capture's reader that went away is an error of that capture
  JsonLines lines(UniqueFd(control), "who started it");
  try {
    enter_network_namespace();
  } catch (const Error& error) {
    lines.send({{"event", "failed"}, {"data", error.to_json()}}, Deadline::in(kToSend));
    return 3;
  }
  try {
    Service(lines, UniqueFd(sockets)).run();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Disconnected) return 0;  // whoever started it has closed, or died
    throw;
  }
  return 0;
}

}  // namespace hilcop
