// SPDX-License-Identifier: Apache-2.0
#include "network/process/client.h"

#include <sys/socket.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "io/arrival.h"
#include "io/child_process.h"
#include "io/descriptor_passing.h"
#include "io/unix_socket.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr int kControl = 3, kSockets = 4;  // descriptors in the child
constexpr Nanoseconds kGrace = 1s;         // longer than a call's deadline, for the network's own, better error

struct Question {
  Arrival arrival;
  json answer;  // null: the process ended
};

std::pair<UniqueFd, UniqueFd> socket_pair() {
  int ends[2] = {};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw error_from_errno(errno, "bench network", "no socket to its process");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

class RunningNetwork final : public NetworkClient {
 public:
  RunningNetwork(Options options, Deadline deadline) : setup_(std::move(options.setup)), on_event_(std::move(options.on_event)) {
    auto [ours, theirs] = socket_pair();
    auto [our_sockets, their_sockets] = socket_pair();
    ProcessOptions process;
    process.program = options.program;
    process.arguments = {"network", "--control", std::to_string(kControl), "--sockets", std::to_string(kSockets)};
    process.directory = "/";
    process.capture_output = true;
    process.pass_descriptors = {{theirs.get(), kControl}, {their_sockets.get(), kSockets}};
    process_ = ChildProcess::start(std::move(process));
    theirs.reset();
    their_sockets.reset();
    sockets_ = std::move(our_sockets);
    socket_ = ours.get();
    lines_.emplace(std::move(ours), object());
    reader_ = std::thread([this] { read(); });
    try {
      ask("setup", to_json(setup_), deadline);
    } catch (...) {
      process_->kill();
      reader_.join();
      throw;
    }
  }
  ~RunningNetwork() override {
    try {
      close(Deadline::in(5s));
    } catch (const std::exception&) {
      return;  // a destructor has nobody to tell
    }
  }

  json ask(const std::string& what, const json& how, Deadline deadline) override {
    const auto question = std::make_shared<Question>();
    std::uint64_t id = 0;
    {
      const std::scoped_lock lock(mutex_);
      if (closed_) throw Error(ErrorKind::Disconnected, object(), "is closed", "open the bench again");
      if (ended_) throw ended_error();
      id = ++asked_;
      questions_[id] = question;
    }
    bool arrived = false;
    try {
      try {
        send(id, what, how, deadline);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::Disconnected) throw;
        // It has ended; how, the reader learns by and by, and says so to all who have asked.
      }
      arrived = question->arrival.wait(Deadline(deadline.at() + kGrace));
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      questions_.erase(id);
      throw;
    }
    const std::scoped_lock lock(mutex_);
    questions_.erase(id);
    if (!arrived) throw Error(ErrorKind::Timeout, object(), "did not answer '" + what + "' in time", "see whether this host is overloaded");
    if (question->answer.is_null()) throw ended_error();
    if (!question->answer.at("ok").get<bool>()) throw here(Error::from_json(question->answer.at("error")));
    return question->answer.at("result");
  }
  UniqueFd connect(const std::string& address, int port, Deadline deadline) override {
    const std::uint64_t number = ask("connect", {{"address", address}, {"port", port}}, deadline).at("number");
    // It was handed over before the answer.
    const std::scoped_lock lock(connected_mutex_);
    while (!connected_.contains(number)) {
      auto passed = receive_descriptor(sockets_.get(), Deadline::in(kGrace));
      if (!passed) throw Error(ErrorKind::Protocol, object(), "has connected, and hands nothing over");
      connected_[passed->number] = std::move(passed->fd);
    }
    return std::move(connected_.extract(number).mapped());
  }
  void tell(const std::string& what, const json& how) noexcept override {
    try {
      send(0, what, how, Deadline::in(1s));
    } catch (const std::exception&) {
      return;
    }
  }
  const NetworkSetup& setup() const override { return setup_; }
  pid_t pid() const override { return process_->pid(); }

  void close(Deadline deadline) override {
    const InterruptsDeferred deferred;
    {
      const std::scoped_lock lock(mutex_);
      if (std::exchange(closed_, true)) return;
    }
    ::shutdown(socket_, SHUT_WR);  // it completes what it records, and ends
    const auto status = process_->wait(deadline);
    if (!status) process_->kill();
    if (reader_.joinable()) reader_.join();
    if (!status) throw Error(ErrorKind::Timeout, object(), "did not end in time and was killed", "see whether this host is overloaded");
    if (status->code != 0) throw Error(ErrorKind::Protocol, object(), "ended badly: " + status->text() + ": " + process_->output());
  }

 private:
  std::string object() const { return "network of dut '" + setup_.name + "'"; }

  // Its process knows of one network; here there may be several.
  Error here(const Error& error) const {
    static constexpr std::string_view kOne = "bench network";
    auto named = error.object();
    if (const auto at = named.find(kOne); at != std::string::npos)
      named.replace(at, kOne.size(), object());
    else if (named.find("dut '") == std::string::npos)
      named += ", " + object();
    return {error.kind(), named, error.cause(), error.remedy(), error.context()};
  }

  void send(std::uint64_t id, const std::string& what, const json& how, Deadline deadline) {
    const std::scoped_lock lock(send_mutex_);
    lines_->send({{"id", id}, {"op", what}, {"how", how}, {"deadline_ns", to_ns(deadline.at())}}, deadline.at_most(5s));
  }

  // Ctrl-C does not end it: what is asked while the bench closes is answered too.
  void read() {
    for (bool open = true; open;) {
      pollfd readable{lines_->fd(), POLLIN, 0};
      if (::poll(&readable, 1, -1) < 0 && errno != EINTR) break;
      try {
        while (const auto line = lines_->receive_now()) take(*line);
      } catch (const std::exception&) {
        open = false;  // its process has ended, or what it says makes no sense: whoever asks is told
      }
    }
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    for (const auto& [id, question] : questions_) question->arrival.announce();
  }

  void take(const json& line) {
    if (line.contains("event")) {
      if (line.at("event") == "failed") {
        const std::scoped_lock lock(mutex_);
        failure_ = Error::from_json(line.at("data"));
      } else if (on_event_) {
        on_event_(line);
      }
      return;
    }
    const std::scoped_lock lock(mutex_);
    const auto found = questions_.find(line.at("id").get<std::uint64_t>());
    if (found == questions_.end()) return;  // nobody waits for it any more
    found->second->answer = line;
    found->second->arrival.announce();
  }

  // With the mutex held.
  Error ended_error() {
    if (failure_) return here(*failure_);
    const auto status = process_->wait(Deadline::in(1s));
    const auto said = process_->output();
    return {ErrorKind::Disconnected, object(),
            "its process has ended: " + (status ? status->text() : "it hangs") + (said.empty() ? "" : ": " + said), "open the bench again"};
  }

  NetworkSetup setup_;
  std::function<void(const json&)> on_event_;
  std::unique_ptr<ChildProcess> process_;
  int socket_ = -1;
  std::optional<JsonLines> lines_;
  UniqueFd sockets_;
  std::map<std::uint64_t, UniqueFd> connected_;  // that somebody else of this process waits for
  std::mutex send_mutex_, mutex_, connected_mutex_;
  std::map<std::uint64_t, std::shared_ptr<Question>> questions_;
  std::uint64_t asked_ = 0;
  std::optional<Error> failure_;
  bool ended_ = false, closed_ = false;
  std::thread reader_;
};

}  // namespace

std::unique_ptr<NetworkClient> NetworkClient::start(Options options, Deadline deadline) {
  return std::make_unique<RunningNetwork>(std::move(options), deadline);
}

}  // namespace hilcop
