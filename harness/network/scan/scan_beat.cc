// SPDX-License-Identifier: Apache-2.0
#include "network/scan/scan_beat.h"

#include <sys/epoll.h>

#include <algorithm>

namespace hilcop {

namespace {

constexpr Nanoseconds kEach = 250ms, kEachAtRest = 100ms, kEachOfOpenPort = 1s, kWithin = 1s;

}  // namespace

ScanBeat::ScanBeat(const SocketAddress& address, ScanPace& pace) : address_(address), pace_(pace), echo_(address) {
  ready_.add(echo_.fd(), EPOLLIN, nullptr);
}

void ScanBeat::tick(SteadyTime now) {
  while (!asked_.empty() && now - asked_.begin()->second >= kWithin) {
    asked_.erase(asked_.begin());
    missed(now);
  }
  if (connection_ && now - connected_at_ >= kWithin) {
    connection_.reset();
    missed(now);
  }
  if (now >= next_) send(now);
}

void ScanBeat::send(SteadyTime now) {
  const bool by_port = !echoes() && port_ != 0;
  const bool by_open_port = figures_.kind == "open port";
  next_ = now + (by_open_port ? kEachOfOpenPort : rested() ? kEach : kEachAtRest);
  if (by_port && connection_) return;  // one at a time
  ++figures_.beats;
  if (by_port) {
    connection_ = std::make_unique<TcpProbe>(with_port(address_, port_));
    connected_at_ = now;
    ready_.add(connection_->fd(), EPOLLOUT, nullptr);
  } else {
    echo_.send(++number_);  // one that could not be sent is missed like one that was lost
    asked_[number_] = now;
  }
}

void ScanBeat::take(SteadyTime now) {
  while (const auto number = echo_.receive()) {
    const auto asked = asked_.extract(*number);
    if (asked.empty()) continue;  // too late, or a second answer
    if (figures_.kind.empty()) figures_.kind = "echo";
    answered(asked.mapped(), now);
  }
  if (!connection_) return;
  if (const auto outcome = connection_->outcome()) {
    connection_.reset();
    if (*outcome == PortState::Filtered)
      missed(now);
    else
      answered(connected_at_, now);
  }
}

void ScanBeat::may_use(int port, PortState state) {
  if (echoes() || figures_.kind == "closed port" || state == PortState::Filtered) return;
  if (figures_.kind == "open port" && state == PortState::Open) return;
  figures_.kind = state == PortState::Closed ? "closed port" : "open port";
  port_ = port;
  asked_.clear();  // echoes, which it does not answer
}

void ScanBeat::answered(SteadyTime asked, SteadyTime now) {
  const auto round_trip = now - asked;
  if (!rested()) {
    ++at_rest_;
    pace_.at_rest(round_trip);
    figures_.at_rest = figures_.at_rest.count() == 0 ? round_trip : std::min(figures_.at_rest, round_trip);
  }
  last_answered_ = std::max(asked, last_answered_.value_or(asked));
  round_trips_.push_back(round_trip);
  figures_.worst = std::max(figures_.worst, round_trip);
  if (held_at_) figures_.held += now - *held_at_;
  held_at_.reset();
  pace_.answered(round_trip, now);
}

void ScanBeat::missed(SteadyTime now) {
  ++figures_.missed;
  if (figures_.kind.empty()) return;  // it never answered one, which tells nothing of how it bears the probes
  pace_.missed(now);
  if (pace_.held() && !held_at_) held_at_ = now;
}

ScanHeartbeat ScanBeat::figures() const {
  auto result = figures_;
  result.slowest_rate = pace_.slowest();
  auto sorted = round_trips_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  if (!sorted.empty()) result.median = *middle;
  return result;
}

}  // namespace hilcop
