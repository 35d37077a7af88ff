// SPDX-License-Identifier: Apache-2.0
#include "network/scan/port_watch.h"

#include <sys/epoll.h>

#include <algorithm>
#include <exception>
#include <list>

#include "base/error.h"
#include "network/scan/ready_set.h"

namespace hilcop {

namespace {

constexpr Nanoseconds kAnswerWithin = 1s;
constexpr std::size_t kMostPending = 4096;

}  // namespace

class PortWatch::Loop {
 public:
  explicit Loop(PortWatch& watch) : watch_(watch), options_(watch.options_) { ready_.add(watch.stop_.fd(), EPOLLIN, this); }

  void run() {
    for (auto next = real_clock().now();;) {
      const auto now = real_clock().now();
      if (now >= next) {
        round(now);
        // Rounds that were missed are not made up for: the gap is told.
        next = std::max(next + options_.every, now);
      }
      auto until = next;
      if (!pending_.empty()) until = std::min(until, pending_.front().since + kAnswerWithin);
      ready_.wait(until);
      bool stopped = false;
      for (auto* const who : ready_.take()) {
        if (who == this) {
          stopped = true;
          continue;
        }
        auto& pending = *static_cast<Pending*>(who);
        if (const auto outcome = pending.probe.outcome()) ended(pending, *outcome);
      }
      if (stopped) return last_look();
      const auto late = real_clock().now() - kAnswerWithin;
      while (!pending_.empty() && pending_.front().since <= late) give_up(pending_.front());
    }
  }

 private:
  using Key = std::pair<std::string, int>;
  struct Pending {
    Key key;
    SteadyTime since;
    TcpProbe probe;
    std::list<Pending>::iterator self{};
    Pending(Key what, SteadyTime when, TcpProbe how) : key(std::move(what)), since(when), probe(std::move(how)) {}
  };

  void round(SteadyTime now) {
    {
      const std::scoped_lock lock(watch_.mutex_);
      auto& figures = watch_.figures_;
      if (figures.rounds++ != 0) figures.longest_gap = std::max(figures.longest_gap, Nanoseconds(now - last_));
    }
    last_ = now;
    for (const auto& address : options_.addresses())
      for (const int port : options_.ports) ask({address, port});
  }

  // It may have answered, and waits to be taken.
  void give_up(Pending& pending) { ended(pending, pending.probe.outcome().value_or(PortState::Filtered)); }

  // What has answered by now counts; who has not had its time is not said to be silent.
  void last_look() {
    for (auto next = pending_.begin(); next != pending_.end();) {
      auto& pending = *next++;
      if (const auto outcome = pending.probe.outcome()) ended(pending, *outcome);
    }
    const std::scoped_lock lock(watch_.mutex_);
    auto& figures = watch_.figures_;
    figures.longest_gap = std::max(figures.longest_gap, Nanoseconds(real_clock().now() - last_));
    if (figures.ports.empty()) figures.failure = "no port was asked to the end: the device had no address, or said nothing yet";
  }

  void ask(Key key) {
    if (pending_.size() >= kMostPending) {
      give_up(pending_.front());  // before it had its time to answer
      const std::scoped_lock lock(watch_.mutex_);
      watch_.figures_.failure = "so many ports and addresses are asked that not all are waited for: give fewer of them, or longer rounds";
    }
    TcpProbe probe(socket_address(key.first, key.second, options_.interface));
    auto& pending = pending_.emplace_back(std::move(key), real_clock().now(), std::move(probe));
    pending.self = std::prev(pending_.end());
    ready_.add(pending.probe.fd(), EPOLLOUT, &pending);
  }

  void ended(const Pending& pending, PortState state) {
    const PortChange change{pending.key.first, pending.key.second, state, pending.since, real_clock().utc_now()};
    pending_.erase(pending.self);
    {
      const std::scoped_lock lock(watch_.mutex_);
      auto& port = watch_.figures_.ports[{change.address, change.port}];
      ++port.asked;
      if (state != PortState::Filtered) note(change.asked, port.answered, port.first_answered, port.last_answered);
      if (state == PortState::Open) note(change.asked, port.open, port.first_open, port.last_open);
    }
    // Answers overtake each other: what was asked before what is known already tells nothing new, but that it was open.
    auto& known = known_[{change.address, change.port}];
    if (change.asked < known.asked && state != PortState::Open) return;
    const bool changed = !known.state ? state != PortState::Filtered : *known.state != state;
    known = {state, std::max(change.asked, known.asked)};
    if (changed) watch_.on_change_(change);
  }

  // Answers overtake each other.
  static void note(SteadyTime asked, std::uint64_t& count, std::optional<SteadyTime>& first, std::optional<SteadyTime>& last) {
    ++count;
    first = std::min(asked, first.value_or(asked));
    last = std::max(asked, last.value_or(asked));
  }

  struct Known {
    std::optional<PortState> state;
    SteadyTime asked{};
  };

  PortWatch& watch_;
  const PortWatchOptions& options_;
  ReadySet ready_;
  std::list<Pending> pending_;  // the oldest first
  std::map<Key, Known> known_;
  SteadyTime last_{};
};

PortWatch::PortWatch(PortWatchOptions options, std::function<void(const PortChange&)> on_change)
    : options_(std::move(options)), on_change_(std::move(on_change)) {
  const auto senseless = [](const std::string& cause, const std::string& remedy) {
    return Error(ErrorKind::Config, "watch of ports", cause, remedy);
  };
  if (options_.ports.empty() || options_.ports.size() > PortWatchOptions::kMost)
    throw senseless("has " + std::to_string(options_.ports.size()) + " ports", "give 1 to 256; scan_tcp asks for all of them");
  for (const int port : options_.ports)
    if (port < 1 || port > 65535) throw senseless(std::to_string(port) + " is no port", "give 1 to 65535");
  if (options_.every < 10ms || options_.every > 60s) throw senseless("its rounds are too short or too long", "give 0.01 to 60 s");
  thread_ = std::jthread([this] { run(); });
}

PortWatch::~PortWatch() { stop(); }

void PortWatch::run() {
  std::string failure;
  try {
    Loop(*this).run();
    return;
  } catch (const Error& error) {
    failure = error.what();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  const std::scoped_lock lock(mutex_);
  figures_.failure = failure;
}

PortWatchFigures PortWatch::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

PortWatchFigures PortWatch::stop() {
  stop_.announce();
  if (thread_.joinable()) thread_.join();
  return figures();
}

}  // namespace hilcop
