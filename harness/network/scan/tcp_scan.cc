// SPDX-License-Identifier: Apache-2.0
#include "network/scan/tcp_scan.h"

#include <sys/epoll.h>

#include <algorithm>
#include <deque>
#include <list>
#include <numeric>
#include <random>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "network/port/links.h"
#include "network/scan/ready_set.h"
#include "network/scan/scan_beat.h"

namespace hilcop {

namespace {

constexpr std::size_t kMostAtOnce = 1000;  // connections at once
constexpr std::uint64_t kUnreachableToEnd = 256;
constexpr Nanoseconds kToBeMet = 5s;  // by ARP
constexpr int kConfirmations = 3;
constexpr const char* kNobody = "there is nobody at that address, or no way there";

struct Asked {
  int port = 0, times = 0;
};

class TcpScan {
 public:
  TcpScan(const TcpScanOptions& options, Deadline deadline)
      : options_(options),
        deadline_(deadline),
        began_(real_clock().now()),
        target_(socket_address(options.address, 0, options.interface)),
        pace_(options.rate, began_),
        beat_(target_, pace_) {
    ready_.add(interrupt_fd(), EPOLLIN, nullptr);
    ready_.add(beat_.fd(), EPOLLIN, nullptr);
    auto ports = options.ports;
    if (ports.empty()) {
      ports.resize(65535);
      std::iota(ports.begin(), ports.end(), 1);
    }
    std::sort(ports.begin(), ports.end());
    ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
    std::mt19937_64 random(options.seed);
    std::shuffle(ports.begin(), ports.end(), random);
    for (const int port : ports) todo_.push_back({port, 0});
  }

  TcpScanResult run() {
    while (result_.incomplete.empty() && !beat_.rested()) step(false);
    work();
    for (const auto& open : result_.open) todo_.push_back({open.port, 0});
    confirming_ = true;
    work();
    // What is silent at the end is of a device that is there only if it answers once more.
    while (result_.incomplete.empty() && !beat_.silent() && !beat_.answered_since(asked_last_)) step(false);
    finish();
    return std::move(result_);
  }

 private:
  struct Pending {
    Asked asked;
    SteadyTime since;
    TcpProbe probe;
    std::list<Pending>::iterator self{};
    Pending(Asked what, SteadyTime when, TcpProbe how) : asked(what), since(when), probe(std::move(how)) {}
  };

  void work() {
    while (result_.incomplete.empty() && !(todo_.empty() && pending_.empty())) step(true);
  }

  void step(bool probing) {
    const auto now = real_clock().now();
    beat_.tick(now);
    if (deadline_.expired())
      result_.incomplete = "its time was over";
    else if (pace_.held_for(now) > options_.gone_after)
      result_.incomplete = "the device answered no more, and did not come back";
    else if (!met_ && now - began_ > kToBeMet)
      look_for_it();
    if (!result_.incomplete.empty()) return;
    if (probing)
      for (auto allowed = pace_.allowed(now); allowed > 0 && !todo_.empty() && pending_.size() < kMostAtOnce; --allowed) ask(now);
    wait(now);
    take();
  }

  // Of one that is not on the link every port is silent, as it is of one that drops whatever comes.
  void look_for_it() {
    met_ = true;
    const bool nobody = beat_.silent() && links_.neighbour(options_.interface, options_.address) == Links::Neighbour::Nobody;
    if (nobody) result_.incomplete = kNobody;
  }

  void ask(SteadyTime now) {
    const auto asked = todo_.front();
    todo_.pop_front();
    pace_.sent();
    asked_last_ = now;
    ++result_.probes;
    auto& pending = pending_.emplace_back(Asked{asked.port, asked.times + 1}, now, TcpProbe(with_port(target_, asked.port)));
    pending.self = std::prev(pending_.end());
    ready_.add(pending.probe.fd(), EPOLLOUT, &pending);
  }

  /// Until something has ended, or is due.
  void wait(SteadyTime now) {
    auto until = std::min(beat_.next(), deadline_.at());
    if (!todo_.empty() && !pace_.held() && pending_.size() < kMostAtOnce) until = std::min(until, pace_.next(now));
    if (!pending_.empty()) until = std::min(until, pending_.front().since + options_.answer_within);
    ready_.wait(until);
    if (interrupt_requested()) throw Interrupted();
  }

  void take() {
    const auto now = real_clock().now();
    beat_.take(now);
    for (auto* const ready : ready_.take()) {
      auto& pending = *static_cast<Pending*>(ready);
      if (const auto outcome = pending.probe.outcome()) ended(pending, *outcome);
    }
    while (!pending_.empty() && now - pending_.front().since >= options_.answer_within) {
      auto& oldest = pending_.front();
      ended(oldest, oldest.probe.outcome().value_or(PortState::Filtered));  // it may have answered, and waits to be taken
    }
  }

  void ended(const Pending& pending, PortState state) {
    const auto asked = pending.asked;
    const bool unreachable = pending.probe.unreachable();
    pending_.erase(pending.self);
    if (confirming_)
      confirmed(asked, state);
    else
      heard(asked, state, unreachable);
  }

  void heard(const Asked& asked, PortState state, bool unreachable) {
    beat_.may_use(asked.port, state);
    if (state != PortState::Filtered) {
      unreachable_ = 0;
      known(asked.port, state);
    } else if (pace_.held()) {
      todo_.push_back({asked.port, asked.times - 1});  // of a device that answers nothing at the time it tells nothing
    } else if (asked.times < options_.tries) {
      todo_.push_back(asked);
    } else {
      known(asked.port, state);
    }
    // A device that answers its heartbeat is there, whatever its firewall says.
    if (unreachable && ++unreachable_ >= kUnreachableToEnd && beat_.silent()) result_.incomplete = kNobody;
  }

  void known(int port, PortState state) {
    if (state == PortState::Open) result_.open.push_back({port, false});
    if (state == PortState::Closed) ++result_.closed;
    if (state == PortState::Filtered) result_.filtered.push_back(port);
  }

  // One that is open now and then stays in the list: it was.
  void confirmed(const Asked& asked, PortState state) {
    if (state != PortState::Open && asked.times < kConfirmations) return todo_.push_back(asked);
    for (auto& open : result_.open)
      if (open.port == asked.port) open.confirmed = state == PortState::Open;
  }

  void finish() {
    if (!confirming_ || !result_.incomplete.empty()) {
      for (const auto& [port, times] : todo_) result_.not_known.push_back(port);
      for (const auto& pending : pending_) result_.not_known.push_back(pending.asked.port);
      // Those that were only to be confirmed are known.
      std::erase_if(result_.not_known, [&](int port) { return std::ranges::count(result_.open, port, &OpenPort::port) != 0; });
    }
    std::ranges::sort(result_.open, {}, &OpenPort::port);
    std::ranges::sort(result_.filtered);
    std::ranges::sort(result_.not_known);
    result_.took = real_clock().now() - began_;
    result_.heartbeat = beat_.figures();
    // Whoever comes back may have restarted: a service that it opens late was asked too early, and refused.
    if (result_.incomplete.empty() && result_.heartbeat.held.count() > 0)
      result_.incomplete = "the device did not answer for a while, and may have restarted: what it opens late may not be seen";
    if (result_.incomplete.empty() && result_.heartbeat.kind.empty())
      result_.incomplete = "nothing of the device has answered, neither an echo request nor any port";
  }

  const TcpScanOptions& options_;
  Deadline deadline_;
  SteadyTime began_, asked_last_{};
  SocketAddress target_;
  ScanPace pace_;
  ScanBeat beat_;
  std::deque<Asked> todo_;
  std::list<Pending> pending_;  // the oldest first
  ReadySet ready_;
  std::uint64_t unreachable_ = 0;  // in a row
  bool met_ = false, confirming_ = false;
  Links links_;
  TcpScanResult result_;
};

Error senseless(const std::string& cause, const std::string& remedy) { return {ErrorKind::Config, "TCP scan", cause, remedy}; }

}  // namespace

TcpScanResult scan_tcp(const TcpScanOptions& options, Deadline deadline) {
  if (!(options.rate >= ScanPace::kLeast && options.rate <= 50'000))
    throw senseless("its rate is out of its range", "give 10 to 50000 probes a second");
  if (options.tries < 1 || options.tries > 10) throw senseless("its tries are out of their range", "give 1 to 10");
  if (options.answer_within < 10ms || options.answer_within > 30s) throw senseless("it waits too short or too long", "give 0.01 to 30 s");
  for (const int port : options.ports)
    if (port < 1 || port > 65535) throw senseless(std::to_string(port) + " is no port", "give 1 to 65535");
  return TcpScan(options, deadline).run();
}

}  // namespace hilcop
