// SPDX-License-Identifier: Apache-2.0
#include "keeper/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/paths.h"
#include "base/users.h"
#include "io/arrival.h"
#include "io/unix_socket.h"
#include "keeper/journal.h"
#include "keeper/start_keeper.h"

namespace hilcop {
namespace {

using nlohmann::json;

// How much longer than the call's deadline we wait for the keeper's own, better error.
constexpr Nanoseconds kGrace = 2s;

struct Pending {
  Arrival arrival;
  json answer;  // null: the connection was lost
};

struct Fired {
  Arrival arrival;
  std::deque<json> results;
  bool lost = false;
};

class Client;

class ClientLease final : public Lease {
 public:
  ClientLease(std::shared_ptr<Client> client, std::uint64_t number, std::string channel)
      : client_(std::move(client)), number_(number), channel_(std::move(channel)) {}
  ~ClientLease() override;
  SwitchResult set(bool on, const json& options, Deadline deadline) override {
    return set_with({{"on", on}, {"options", options}}, deadline);
  }
  SwitchResult set_at(SteadyTime when, bool on, const json& options, Deadline deadline) override {
    return set_with({{"on", on}, {"options", options}, {"at_ns", to_ns(when)}}, deadline);
  }
  std::optional<bool> get(Deadline deadline) override {
    const auto state = ask("get", json::object(), deadline);
    return state.is_boolean() ? std::optional(state.get<bool>()) : std::nullopt;
  }
  void arm(const json& options, Deadline deadline) override;
  std::optional<SwitchResult> wait_fired(Deadline deadline) override;
  json endpoint(Deadline deadline) override { return ask("endpoint", json::object(), deadline); }
  json report(Deadline deadline) override { return ask("report", json::object(), deadline); }
  Reading measure(Deadline deadline) override { return reading_from_json(ask("measure", json::object(), deadline)); }
  json adjust(const json& setting, Deadline deadline) override { return ask("adjust", {{"options", setting}}, deadline); }
  json status(Deadline deadline) override { return ask("status_of", json::object(), deadline); }
  const std::string& channel() const override { return channel_; }
  void release(Deadline deadline) override;
  std::uint64_t number() const { return number_; }

 private:
  SwitchResult set_with(json fields, Deadline deadline);
  json ask(const char* op, json fields, Deadline deadline);

  std::shared_ptr<Client> client_;
  std::uint64_t number_;
  std::string channel_;
  bool released_ = false;
};

class Client final : public KeeperClient, public std::enable_shared_from_this<Client> {
 public:
  Client(Options options, UniqueFd fd) : options_(std::move(options)), socket_(fd.get()), lines_(std::move(fd), "keeper") {
    reader_ = std::thread([this] { read(); });
  }

  ~Client() override {
    ending_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    reader_.join();
  }

  json ask(json request, Deadline deadline) {
    auto pending = std::make_shared<Pending>();
    std::uint64_t id = 0;
    {
      const std::scoped_lock lock(mutex_);
      if (lost_) throw lost_error();
      id = ++last_id_;
      pending_[id] = pending;
    }
    request["id"] = id;
    {
      const std::scoped_lock lock(send_mutex_);
      lines_.send(request, deadline.at_most(5s));
    }
    const Deadline wait_until = deadline.remaining() > Nanoseconds(3600s) ? deadline : Deadline(deadline.at() + kGrace);
    const bool arrived = pending->arrival.wait(wait_until);
    const std::scoped_lock lock(mutex_);
    pending_.erase(id);
    if (!arrived)
      throw Error(ErrorKind::Timeout, "keeper", "did not answer '" + request.value("op", "") + "' in time",
                  "see its log in the state directory");
    if (pending->answer.is_null()) throw lost_error();
    if (!pending->answer.value("ok", false)) throw Error::from_json(pending->answer.value("error", json::object()));
    return pending->answer.value("result", json());
  }

  std::unique_ptr<Lease> lease(LeaseRequest request, Deadline deadline) override {
    json line{
        {"op", "lease"},
        {"instrument", {{"name", request.instrument.name}, {"driver", request.instrument.driver}, {"config", request.instrument.config}}},
        {"channel", request.channel},
        {"holder", request.holder},
        {"safe_state", to_string(request.safe_state)},
        {"inverted", request.inverted},
        {"min_off_ms", std::chrono::ceil<std::chrono::milliseconds>(request.min_off).count()}};
    if (request.supply)
      line["supply"] = {{"name", request.supply->name},
                        {"stagger_ms", std::chrono::ceil<std::chrono::milliseconds>(request.supply->stagger).count()}};
    if (request.wait_until) line["wait_until_ns"] = to_ns(request.wait_until->at());
    if (request.wait_until && request.wait_until->at() > deadline.at()) deadline = *request.wait_until;
    const auto number = ask(line, deadline).at("lease").get<std::uint64_t>();
    {
      const std::scoped_lock lock(mutex_);
      fired_.try_emplace(number, std::make_shared<Fired>());
    }
    return std::make_unique<ClientLease>(shared_from_this(), number, request.channel);
  }

  std::vector<SwitchResult> set_together(const std::vector<Lease*>& leases, bool on, const json& options, Deadline deadline,
                                         std::optional<SteadyTime> at) override {
    auto numbers = json::array();
    for (const auto* lease : leases) numbers.push_back(dynamic_cast<const ClientLease&>(*lease).number());
    json request{{"op", "set_together"}, {"leases", numbers}, {"on", on}, {"options", options}, {"deadline_ns", to_ns(deadline.at())}};
    if (at) request["at_ns"] = to_ns(*at);
    std::vector<SwitchResult> results;
    try {
      for (const auto& result : ask(request, deadline)) results.push_back(switch_result_from_json(result));
    } catch (...) {
      for (const auto& number : numbers) withdraw(number);
      throw;
    }
    return results;
  }

  /// Who does not wait for an `on` any more must not find it switched later. Not waited for, and no error: the lease's end is next.
  void withdraw(std::uint64_t lease) noexcept {
    try {
      const std::scoped_lock lock(send_mutex_);
      lines_.send({{"id", 0}, {"op", "withdraw"}, {"lease", lease}}, Deadline::in(1s));
    } catch (const std::exception&) {
      // A keeper that is gone switches nothing on.
    }
  }

  json status(Deadline deadline) override { return ask({{"op", "status"}}, deadline); }
  json safe_state(bool force, Deadline deadline) override { return ask({{"op", "safe_state"}, {"force", force}}, deadline); }

  void on_event(std::function<void(const json&)> callback) override {
    const std::scoped_lock lock(callback_mutex_);
    callback_ = std::move(callback);
  }

  std::shared_ptr<Fired> fired(std::uint64_t lease) {
    const std::scoped_lock lock(mutex_);
    return fired_.try_emplace(lease, std::make_shared<Fired>()).first->second;
  }
  std::mutex& mutex() { return mutex_; }
  Error lost_error() const {
    return {ErrorKind::Disconnected, "keeper", "the connection to it was lost: its outputs go to their safe states",
            "open the bench again"};
  }

 private:
  void read() {
    try {
      while (true) {
        pollfd readable{lines_.fd(), POLLIN, 0};
        if (::poll(&readable, 1, -1) < 0 && errno != EINTR) break;
        while (auto line = lines_.receive_now()) handle(*line);
      }
    } catch (const Error&) {
      // Lost; told to every caller below.
    }
    {
      const std::scoped_lock lock(mutex_);
      lost_ = true;
      for (auto& [id, pending] : pending_) pending->arrival.announce();
      for (auto& [id, fired] : fired_) fired->lost = true, fired->arrival.announce();
    }
    if (ending_) return;
    tell({{"event", "keeper.lost"}, {"data", json::object()}});
    // A keeper that died left its outputs as they were: the next one brings them to their safe states.
    try {
      if (options_.start_on_demand) start_keeper(options_);
    } catch (const Error&) {
      // There is nobody to tell but the callers, who get Disconnected.
    }
  }

  void handle(const json& line) {
    {
      const std::scoped_lock lock(mutex_);
      if (line.value("event", "") == "armed.fired") {
        auto& fired = fired_.try_emplace(line.at("lease"), std::make_shared<Fired>()).first->second;
        fired->results.push_back(line.at("data"));
        fired->arrival.announce();
      } else if (const auto found = pending_.find(line.value("id", std::uint64_t{0})); found != pending_.end()) {
        found->second->answer = line;
        found->second->arrival.announce();
      }
    }
    if (line.contains("event")) tell(line);
  }

  // Under its lock: who takes the callback away must not find it running afterwards.
  void tell(const json& event) {
    const std::scoped_lock lock(callback_mutex_);
    if (callback_) callback_(event);
  }

  Options options_;
  int socket_;
  JsonLines lines_;
  std::mutex send_mutex_, mutex_, callback_mutex_;
  std::map<std::uint64_t, std::shared_ptr<Pending>> pending_;
  std::map<std::uint64_t, std::shared_ptr<Fired>> fired_;
  std::function<void(const json&)> callback_;
  std::uint64_t last_id_ = 0;
  bool lost_ = false;
  std::atomic<bool> ending_{false};
  std::thread reader_;
};

void ClientLease::release(Deadline deadline) {
  if (std::exchange(released_, true)) return;
  client_->ask({{"op", "release"}, {"lease", number_}}, deadline);
}

// Waited for, so that who opens the bench next finds it free.
ClientLease::~ClientLease() {
  try {
    release(Deadline::in(3s));
  } catch (const std::exception&) {
    // The keeper ends the lease by itself when this connection closes.
  }
}

json ClientLease::ask(const char* op, json fields, Deadline deadline) {
  fields["op"] = op;
  fields["lease"] = number_;
  fields["deadline_ns"] = to_ns(deadline.at());
  return client_->ask(std::move(fields), deadline);
}

SwitchResult ClientLease::set_with(json fields, Deadline deadline) {
  const bool on = fields.at("on");
  try {
    return switch_result_from_json(ask("set", std::move(fields), deadline));
  } catch (...) {
    if (on) client_->withdraw(number_);
    throw;
  }
}

void ClientLease::arm(const json& options, Deadline deadline) {
  {
    // A cut that fired after its wait had ended belongs to the arm before.
    const auto fired = client_->fired(number_);
    const std::scoped_lock lock(client_->mutex());
    fired->results.clear();
  }
  ask("arm", {{"options", options}}, deadline);
}

std::optional<SwitchResult> ClientLease::wait_fired(Deadline deadline) {
  const auto fired = client_->fired(number_);
  while (true) {
    {
      const std::scoped_lock lock(client_->mutex());
      if (!fired->results.empty()) {
        const auto result = switch_result_from_json(fired->results.front());
        fired->results.pop_front();
        return result;
      }
      if (fired->lost) throw client_->lost_error();
    }
    if (!fired->arrival.wait(deadline)) return std::nullopt;
  }
}

// What the user of the library holds: leases keep the connection itself alive.
class Handle final : public KeeperClient {
 public:
  explicit Handle(std::shared_ptr<Client> client) : client_(std::move(client)) {}
  std::unique_ptr<Lease> lease(LeaseRequest request, Deadline deadline) override { return client_->lease(std::move(request), deadline); }
  std::vector<SwitchResult> set_together(const std::vector<Lease*>& leases, bool on, const json& options, Deadline deadline,
                                         std::optional<SteadyTime> at) override {
    return client_->set_together(leases, on, options, deadline, at);
  }
  json status(Deadline deadline) override { return client_->status(deadline); }
  json safe_state(bool force, Deadline deadline) override { return client_->safe_state(force, deadline); }
  void on_event(std::function<void(const json&)> callback) override { client_->on_event(std::move(callback)); }

 private:
  std::shared_ptr<Client> client_;
};

Error without_shared_keeper(const Error& error) {
  if (error.kind() == ErrorKind::PermissionDenied)
    return {error.kind(), "keeper of this host", error.object() + ": " + error.cause(),
            "join its group: sudo usermod -aG hilcop " + user_name(::geteuid()) + ", then log in again"};
  const bool absent = error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::Disconnected;
  return {error.kind(), "keeper of this host", error.object() + ": " + error.cause(),
          absent ? "see `systemctl status hilcop-keeper.socket hilcop-keeper.service` (lab-config/README.md)" : error.remedy()};
}

}  // namespace

std::unique_ptr<KeeperClient> KeeperClient::connect(Options options, Deadline deadline) {
  bool shared = false;
  if (options.socket.empty()) {
    const auto address = keeper_address();
    options.socket = address.socket;
    shared = address.shared;
    if (shared) options.start_on_demand = false;
  }
  bool started = false;
  while (true) {
    try {
      auto client = std::make_shared<Client>(options, connect_unix(options.socket, deadline));
      client->ask({{"op", "hello"}, {"protocol", 1}, {"client", "pid " + std::to_string(::getpid())}}, deadline);
      return std::make_unique<Handle>(std::move(client));
    } catch (const Error& error) {
      const bool absent = error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::Disconnected;
      if (shared) throw without_shared_keeper(error);
      if (!absent || !options.start_on_demand) throw;
      if (deadline.expired()) throw error.while_doing("while waiting for the keeper that was started");
      if (!started) start_keeper(options);
      started = true;
    }
    wait_until(deadline.at_most(10ms));
  }
}

}  // namespace hilcop
