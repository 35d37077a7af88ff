// SPDX-License-Identifier: Apache-2.0
#include "network/wire/wire.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hilcop {

namespace {

constexpr int kFramesInARow = 64;        // of one direction, before the other is looked at
constexpr std::size_t kLongest = 65536;  // that a tap gives

timespec until(std::optional<SteadyTime> when) {
  const auto left = when ? std::max(Nanoseconds(0), Nanoseconds(*when - real_clock().now())) : Nanoseconds(1s);
  return {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
}

}  // namespace

Wire::Wire(const std::string& port, UniqueFd gateway)
    : port_(port),
      gateway_(std::move(gateway)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      from_device_([this](std::span<const std::byte> frame) {
        if (::write(gateway_.get(), frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) ++not_taken_[0];
      }),
      to_device_([this](std::span<const std::byte> frame) {
        if (!port_.send(frame)) ++not_taken_[1];
      }),
      frame_(kLongest),
      thread_([this] { run(); }) {}

Wire::~Wire() {
  ending_ = true;
  wake();
  thread_.join();
}

void Wire::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void Wire::impair(Direction direction, const Impairment& impairment, std::uint64_t seed) {
  const std::scoped_lock lock(mutex_);
  (direction == Direction::FromDevice ? from_device_ : to_device_).set(impairment, seed);
}

void Wire::set_cut(bool cut) {
  const std::scoped_lock lock(mutex_);
  cut_ = cut;
  if (!cut) return;
  from_device_.drop_waiting();
  to_device_.drop_waiting();
}

void Wire::set_plugged(bool plugged) {
  const std::scoped_lock lock(mutex_);
  plugged_ = plugged;
  if (!plugged) to_device_.drop_waiting();
}

WireCounts Wire::counts(Direction direction) {
  const std::scoped_lock lock(mutex_);
  const bool from = direction == Direction::FromDevice;
  if (from) not_kept_ += port_.take_dropped();
  return {(from ? from_device_ : to_device_).counts(), cut_frames_[from ? 0 : 1], from ? not_kept_ + port_.too_long() : 0,
          not_taken_[from ? 0 : 1]};
}

std::vector<SeenHost> Wire::hosts() {
  const std::scoped_lock lock(mutex_);
  return hosts_.all();
}

std::uint64_t Wire::hosts_left_out() {
  const std::scoped_lock lock(mutex_);
  return hosts_.left_out();
}

// True: there may be more.
bool Wire::from_port(SteadyTime now) {
  for (int i = 0; i < kFramesInARow; ++i) {
    const auto frame = port_.next();
    if (frame.empty()) return false;
    hosts_.see(frame);
    if (cut_)
      ++cut_frames_[0];
    else
      from_device_.take(frame, now);
  }
  return true;
}

bool Wire::from_gateway(SteadyTime now) {
  for (int i = 0; i < kFramesInARow; ++i) {
    const auto size = ::read(gateway_.get(), frame_.data(), frame_.size());
    if (size <= 0) return false;
    if (cut_ || !plugged_)
      ++cut_frames_[1];
    else
      to_device_.take(std::span(frame_).first(static_cast<std::size_t>(size)), now);
  }
  return true;
}

void Wire::run() {
  bool more = false;
  std::optional<SteadyTime> next;
  while (!ending_) {
    pollfd ready[] = {{port_.fd(), POLLIN, 0}, {gateway_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    const auto timeout = more ? timespec{} : until(next);
    ::ppoll(ready, 3, &timeout, nullptr);
    if (ready[2].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
    }
    if ((ready[0].revents & POLLERR) != 0) port_.take_error();  // else it would wake us for ever; what is lost is counted
    const std::scoped_lock lock(mutex_);
    const auto now = real_clock().now();
    more = from_port(now);
    more |= from_gateway(now);
    from_device_.release(now);
    to_device_.release(now);
    next = from_device_.next();
    if (const auto other = to_device_.next(); other && (!next || *other < *next)) next = other;
  }
}

}  // namespace hilcop
