// SPDX-License-Identifier: Apache-2.0
#include "keeper/server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/users.h"
#include "io/unix_socket.h"
#include "keeper/channels.h"
#include "keeper/connection.h"
#include "keeper/journal.h"
#include "keeper/main_queue.h"

namespace hilcop {
namespace {

using nlohmann::json;

std::filesystem::path socket_of(const KeeperOptions& options) {
  if (options.listener >= 0) return path_of_socket(options.listener);
  return options.socket.empty() ? runtime_dir() / "keeper.sock" : options.socket;
}

// What is no number compares with no limit: a supply could look switched off by it.
Reading sound_reading(Reading reading, const std::string& channel) {
  if (std::isfinite(reading.value)) return reading;
  throw Error(ErrorKind::Protocol, "channel '" + channel + "'", "shows no number", "see the instrument's own display");
}

std::optional<gid_t> group_of(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto group = group_of_name(name);
  if (!group) throw Error(ErrorKind::Config, "--group " + name, "there is no such group", "make it: sudo groupadd --system " + name);
  return group;
}

void make_group_dir(const std::filesystem::path& directory, gid_t group, mode_t mode) {
  const auto object = "directory " + directory.string();
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) throw error_from_errno(errno, object, "make it");
  if (::chown(directory.c_str(), static_cast<uid_t>(-1), group) != 0 || ::chmod(directory.c_str(), mode) != 0)
    throw error_from_errno(errno, object, "give it to group " + group_name(group));
}

UniqueFd lock_or_busy(const std::filesystem::path& socket) {
  const auto path = socket.string() + ".lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) throw error_from_errno(errno, "lock " + path, "open");
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) throw Error(ErrorKind::Busy, "keeper", "another keeper serves " + socket.string());
  return fd;
}

class Server {
 public:
  Server(const KeeperOptions& options, DriverTable drivers)
      : options_(options),
        socket_(socket_of(options)),
        group_(group_of(options.group)),
        lock_(lock_or_busy(socket_)),
        journal_(options.journal.empty() ? state_dir() / "keeper-journal.ndjson" : options.journal),
        channels_(drivers, journal_, queue_, [this](std::uint64_t lease, const json& event) { to_holder(lease, event); }),
        listener_(options.listener >= 0 ? UniqueFd(options.listener) : listen_unix(socket_)) {
    if (group_) open_to_group();
    queue_.at(real_clock().now() + options.reclaim, [this] { channels_.restore_unleased(), reclaimed_ = true; });
  }

  int serve() {
    try {
      while (!interrupt_requested() && !idle()) step(250);
    } catch (const std::exception& error) {
      log(LogLevel::Error, "keeper: ends, with every output at its safe state: {}", error.what());
    }
    if (options_.listener < 0) ::unlink(socket_.c_str());
    listener_.reset();
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::signal(number, SIG_IGN);  // it is ending, and by a deadline
    clear_interrupt();  // first: what drivers wait for on the way to safe states must not be interrupted
    // Everything that is still held goes to its safe state; a deadline, because a dead relay board must not hold us for ever.
    for (const auto lease : channels_.all_leases()) channels_.end(lease, [](const Error*) {});
    channels_.restore_unleased();
    for (const auto deadline = Deadline::in(5s); !channels_.quiet() && !deadline.expired();) step(50);
    return channels_.quiet() ? 0 : 3;
  }

 private:
  void open_to_group() {
    make_group_dir(socket_.parent_path() / "leases", *group_, 02770);  // what a member makes there is the group's too
    make_group_dir(group_records_dir(socket_), *group_, 0770);
    if (options_.listener >= 0) return;  // whoever made it has said whose it is
    if (::chown(socket_.c_str(), static_cast<uid_t>(-1), *group_) != 0 || ::chmod(socket_.c_str(), 0660) != 0)
      throw error_from_errno(errno, "socket " + socket_.string(), "give it to group " + options_.group);
  }

  bool idle() {
    if (!connections_.empty() || !reclaimed_ || !channels_.quiet()) idle_since_ = real_clock().now();
    return real_clock().now() - idle_since_ >= options_.idle_end;
  }

  void step(int limit_ms) {
    std::vector<pollfd> set{{interrupt_fd(), POLLIN, 0}, {queue_.fd(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    std::vector<std::uint64_t> ids;
    for (const auto& [id, c] : connections_) {
      ids.push_back(id);
      set.push_back({c->fd(), static_cast<short>(c->wants_write() ? POLLIN | POLLOUT : POLLIN), 0});
      set.push_back({c->pidfd(), POLLIN, 0});
    }
    if (::poll(set.data(), set.size(), queue_.timeout_ms(limit_ms)) < 0 && errno != EINTR) throw error_from_errno(errno, "keeper", "poll");
    // The dead give back before the living ask.
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (set[4 + 2 * i].revents != 0) connections_.at(ids[i])->set_dead();
    drop_dead();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto found = connections_.find(ids[i]);
      if (found == connections_.end()) continue;
      const short events = set[3 + 2 * i].revents;
      if (events & (POLLIN | POLLHUP | POLLERR)) read_from(ids[i], *found->second);
      if (events & POLLOUT) found->second->flush();
    }
    if (set[2].revents != 0) accept_clients();
    queue_.run();
    drop_dead();
  }

  void accept_clients() {
    while (auto fd = accept_unix(listener_.get())) {
      const auto peer = peer_credentials(fd->get());
      const bool own = peer.uid == ::geteuid() || peer.uid == 0;
      if (!own && !(group_ && peer_is_in_group(fd->get(), *group_))) continue;  // closes it
      connections_[++last_connection_] =
          std::make_shared<Connection>(std::move(*fd), peer.pid, peer.uid == ::geteuid() ? "" : user_name(peer.uid));
    }
  }

  void drop_dead() {
    for (auto it = connections_.begin(); it != connections_.end();) {
      if (!it->second->dead()) {
        ++it;
        continue;
      }
      if (const auto alive = alive_.find(it->first); alive != alive_.end()) *alive->second = false, alive_.erase(alive);
      for (const auto lease : it->second->leases) owner_.erase(lease), channels_.end(lease, [](const Error*) {});
      it = connections_.erase(it);
    }
  }

  void read_from(std::uint64_t id, Connection& connection) {
    for (const auto& line : connection.read()) {
      const json request_id = line.is_object() && line.contains("id") ? line["id"] : json();
      const auto outcome = [this, id, request_id](const json& result, const Error* error) { reply(id, request_id, result, error); };
      try {
        if (line.is_null()) throw Error(ErrorKind::Protocol, "keeper", "a line that is no JSON object");
        handle(id, connection, line, outcome);
      } catch (const Error& error) {
        outcome(nullptr, &error);
      } catch (const json::exception& error) {
        const Error wrong(ErrorKind::Protocol, "keeper", std::string("request is not as the protocol says: ") + error.what());
        outcome(nullptr, &wrong);
      }
    }
  }

  void reply(std::uint64_t id, const json& request_id, const json& result, const Error* error) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    json answer{{"id", request_id}, {"ok", error == nullptr}};
    if (error != nullptr) answer["error"] = error->to_json();
    if (error == nullptr) answer["result"] = result;
    found->second->send(answer);
  }

  void to_holder(std::uint64_t lease, const json& event) {
    const auto owner = owner_.find(lease);
    if (owner == owner_.end()) return;
    if (const auto found = connections_.find(owner->second); found != connections_.end()) found->second->send(event);
  }

  std::uint64_t lease_of(const Connection& connection, const json& number) const {
    const auto lease = number.get<std::uint64_t>();
    if (!connection.leases.contains(lease) || !channels_.holds(lease))
      throw Error(ErrorKind::Disconnected, "lease " + std::to_string(lease),
                  "has ended: it was given back, or taken back by safe-state --force", "open the bench again");
    return lease;
  }

  void handle(std::uint64_t id, Connection& connection, const json& line, const Outcome& outcome) {
    const std::string op = line.at("op");
    if (op == "hello") return hello(connection, line, outcome);
    if (op == "lease") return lease(id, connection, line, outcome);
    if (op == "status") return outcome(channels_.status(), nullptr);
    if (op == "safe_state") return safe_state(connection, line, outcome);
    if (op == "set_together") return set_together(connection, line, outcome);
    const auto lease = lease_of(connection, line.at("lease"));
    if (op == "release") {
      connection.leases.erase(lease);
      owner_.erase(lease);
      return channels_.end(lease, [outcome](const Error* left_away) { outcome(nullptr, left_away); });
    }
    if (op == "withdraw") return channels_.withdraw(lease), outcome(nullptr, nullptr);
    if (op == "status_of") return outcome(channels_.status_of(lease), nullptr);
    const Deadline deadline(from_ns(line.at("deadline_ns")));
    const json options = line.value("options", json::object());
    if (op == "set") {
      const auto at = line.contains("at_ns") ? from_ns(line["at_ns"]) : SteadyTime{};
      return channels_.set(lease, line.at("on"), options, deadline, at, outcome);
    }
    if (op == "get")
      return channels_.call(
          lease, deadline,
          [](Instrument& i, const std::string& c, bool inverted, Deadline d) {
            const auto state = i.get(c, d);
            return state ? json(*state != inverted) : json();
          },
          outcome);
    if (op == "endpoint")
      return channels_.call(
          lease, deadline, [](Instrument& i, const std::string& c, bool, Deadline) { return i.endpoint(c); }, outcome);
    if (op == "report")
      return channels_.call(
          lease, deadline, [](Instrument& i, const std::string& c, bool, Deadline d) { return i.report(c, d); }, outcome);
    if (op == "measure")
      return channels_.call(
          lease, deadline, [](Instrument& i, const std::string& c, bool, Deadline d) { return to_json(sound_reading(i.measure(c, d), c)); },
          outcome);
    if (op == "adjust") return channels_.adjust(lease, options, deadline, outcome);
    if (op == "arm")
      return channels_.call(
          lease, deadline,
          [options](Instrument& i, const std::string& c, bool inverted, Deadline d) {
            if (inverted)
              throw Error(ErrorKind::Unsupported, "channel '" + c + "'", "cannot be armed: its off is the DUT's on", "cut by time");
            i.arm(c, options, d);
            return json();
          },
          outcome);
    throw Error(ErrorKind::Protocol, "keeper", "no operation '" + op + "'");
  }

  void hello(Connection& connection, const json& line, const Outcome& outcome) {
    if (line.at("protocol") != 1)
      throw Error(ErrorKind::Unsupported, "keeper", "speaks protocol 1", "use the same version of hilcop on both sides");
    connection.client = line.value("client", "?");
    outcome({{"protocol", 1}, {"version", HILCOP_VERSION}, {"pid", ::getpid()}}, nullptr);
  }

  void lease(std::uint64_t id, const Connection& connection, const json& line, const Outcome& outcome) {
    const auto& about = line.at("instrument");
    const InstrumentConfig instrument{about.at("name"), about.at("driver"), about.at("config")};
    KeptLease wanted;
    wanted.holder = line.at("holder").get<std::string>() + (connection.user().empty() ? "" : " of user " + connection.user());
    wanted.pid = connection.pid();
    wanted.rest = {safe_state_from_string(line.at("safe_state")), line.value("inverted", false)};
    wanted.min_off = std::chrono::milliseconds(line.at("min_off_ms").get<std::int64_t>());
    if (line.contains("supply"))
      wanted.supply = Supply{line["supply"].at("name"),
                             std::chrono::milliseconds(std::clamp<std::int64_t>(line["supply"].at("stagger_ms"), 0, 3'600'000))};
    std::optional<Deadline> wait_until;
    if (line.contains("wait_until_ns")) wait_until = Deadline(from_ns(line["wait_until_ns"]));
    auto& alive = alive_[id];
    if (!alive) alive = std::make_shared<std::atomic<bool>>(true);
    channels_.lease(instrument, line.at("channel"), std::move(wanted), wait_until, alive,
                    [this, id, outcome](const json& result, const Error* error) {
                      if (error == nullptr) {
                        const auto number = result.at("lease").get<std::uint64_t>();
                        const auto found = connections_.find(id);
                        if (found == connections_.end()) return channels_.end(number, [](const Error*) {});
                        found->second->leases.insert(number);
                        owner_[number] = id;
                      }
                      outcome(result, error);
                    });
  }

  void set_together(const Connection& connection, const json& line, const Outcome& outcome) {
    std::vector<std::uint64_t> leases;
    for (const auto& number : line.at("leases")) leases.push_back(lease_of(connection, number));
    if (leases.empty()) return outcome(json::array(), nullptr);
    struct Gathered {
      json results;
      std::size_t left;
      std::optional<Error> error;
    };
    auto gathered = std::make_shared<Gathered>(Gathered{json::array(), leases.size(), {}});
    gathered->results = std::vector<json>(leases.size());
    // One moment for all, far enough ahead that every instrument's thread has its command by then.
    const auto at = line.contains("at_ns") ? from_ns(line["at_ns"]) : real_clock().now() + 10ms;
    const bool on = line.at("on");
    const Deadline deadline(from_ns(line.at("deadline_ns")));
    // All are asked before the first is told: an instrument's thread may be faster than this one, and 10 ms are not long on a loaded host.
    for (const auto lease : leases) channels_.check_set(lease, on, deadline, at);
    const auto set = [&](std::size_t i) {
      channels_.set(leases[i], on, line.value("options", json::object()), deadline, at,
                    [gathered, i, outcome](const json& result, const Error* error) {
                      gathered->results[i] = result;
                      if (error != nullptr) gathered->error = *error;
                      if (--gathered->left == 0) outcome(gathered->results, gathered->error ? &*gathered->error : nullptr);
                    });
    };
    for (std::size_t i = 0; i < leases.size(); ++i) {
      try {
        set(i);
      } catch (...) {  // the caller is told at once: none may be switched on after that
        for (std::size_t asked = 0; asked < i; ++asked) channels_.withdraw(leases[asked]);
        throw;
      }
    }
  }

  // Answered when all of it is done, or could not be done.
  void safe_state(const Connection& connection, const json& line, const Outcome& outcome) {
    struct Work {
      json done = json::array();
      std::size_t begun = 1;  // this call
      Outcome outcome;
    };
    const auto work = std::make_shared<Work>();
    work->outcome = outcome;
    const auto ended = [work](json entry, const Error* left_away) {
      if (left_away != nullptr) entry["error"] = left_away->what();
      if (!entry.is_null()) work->done.push_back(std::move(entry));
      if (--work->begun == 0) work->outcome(work->done, nullptr);
    };
    const auto reason = "safe-state --force" + (connection.user().empty() ? "" : " of user " + connection.user());
    if (line.value("force", false))
      for (const auto lease : channels_.all_leases()) {
        log(LogLevel::Warning, "keeper: lease {} taken back: {}, pid {}", lease, reason, connection.pid());
        to_holder(lease, {{"event", "lease.lost"}, {"lease", lease}, {"data", {{"reason", reason}}}});
        ++work->begun;
        channels_.end(lease, [ended, lease](const Error* left_away) { ended({{"lease", lease}, {"taken_back", true}}, left_away); });
      }
    const auto each = [ended](const ChannelKey& key, const Error* left_away) {
      ended({{"instrument", key.first}, {"channel", key.second}}, left_away);
    };
    work->begun += channels_.restore_unleased(each).size();
    ended(nullptr, nullptr);
  }

  const KeeperOptions& options_;
  std::filesystem::path socket_;
  std::optional<gid_t> group_;
  UniqueFd lock_;
  Journal journal_;
  MainQueue queue_;
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
  std::map<std::uint64_t, std::shared_ptr<std::atomic<bool>>> alive_;
  std::map<std::uint64_t, std::uint64_t> owner_;  // lease -> connection
  Channels channels_;
  UniqueFd listener_;
  std::uint64_t last_connection_ = 0;
  bool reclaimed_ = false;
  SteadyTime idle_since_ = real_clock().now();
};

}  // namespace

int serve_keeper(const KeeperOptions& options, DriverTable drivers) {
  ::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::signal(number, [](int) { request_interrupt(); });
  return Server(options, drivers).serve();
}

}  // namespace hilcop
