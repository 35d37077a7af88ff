// SPDX-License-Identifier: Apache-2.0
#include "io/faulty_stream.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

class FaultyStream final : public ByteStream {
 public:
  FaultyStream(std::unique_ptr<ByteStream> inner, std::shared_ptr<LineFaultState> state)
      : inner_(std::move(inner)),
        state_(std::move(state)),
        ready_(::epoll_create1(EPOLL_CLOEXEC)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (!ready_ || !timer_ || ::epoll_ctl(ready_.get(), EPOLL_CTL_ADD, timer_.get(), &event) != 0)
      throw error_from_errno(errno, inner_->name(), "make faulty");
    listen();
  }

  const std::string& name() const override { return inner_->name(); }
  std::string remark() const override { return inner_->remark(); }
  // Readable when the line is, unless it stalls: an epoll instance is itself pollable.
  int fd() const override { return ready_.get(); }
  int write_fd() const override { return inner_->write_fd(); }

  std::size_t read_some(std::span<std::byte> into) override {
    if (into.empty() || stalled()) return 0;
    if (held_.empty() && !fetch(into.size())) return 0;
    const auto n = std::min(into.size(), held_.size());
    std::memcpy(into.data(), held_.data(), n);
    held_.erase(0, n);
    wake_in(held_.empty() ? 0ns : 1ns);
    return n;
  }

  // A piece counts as taken when what became of it was taken. Other bytes than it: its sending was given up, and what is left of it
  // goes before them.
  std::size_t write_some(std::span<const std::byte> bytes) override {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with(owed_)) owed_.clear();
    if (owed_.empty()) {
      owed_ = text.substr(0, 256);
      state_->to_device.pass(owed_, sending_);
    }
    while (!sending_.empty()) {
      const auto n = inner_->write_some(std::as_bytes(std::span(sending_)));
      if (n == 0) return 0;
      sending_.erase(0, n);
    }
    return std::exchange(owed_, {}).size();
  }

  void check_present() override { inner_->check_present(); }
  void set_line(ModemLine line, bool asserted) override { inner_->set_line(line, asserted); }
  void hold_break(bool held) override { inner_->hold_break(held); }
  void send_break(std::chrono::milliseconds length) override { inner_->send_break(length); }
  std::optional<LineCounters> line_counters() override { return inner_->line_counters(); }

 private:
  // False: the line stalls.
  bool fetch(std::size_t room) {
    auto& plan = state_->from_device;
    if (plan.until_break() == 0) {
      if (plan.take_break() == LineFaultKind::Disconnect)
        throw Error(ErrorKind::Disconnected, name(), "fault injected: disconnected at byte " + std::to_string(plan.passed()));
      stall_until_ = real_clock().now() + state_->settings.stall;
      // Not only without events: a hang-up is reported all the same.
      ::epoll_ctl(ready_.get(), EPOLL_CTL_DEL, inner_->fd(), nullptr);
      wake_in(std::max<Nanoseconds>(state_->settings.stall, 1ns));
      return false;
    }
    // Half of the room, since every byte may be doubled; what does not fit is held.
    const auto most = std::min<std::uint64_t>({plan.until_break(), std::max<std::size_t>(1, room / 2), buffer_.size()});
    const auto n = inner_->read_some(std::as_writable_bytes(std::span(buffer_)).first(most));
    plan.pass({buffer_.data(), n}, held_);
    return true;
  }

  bool stalled() {
    if (!stall_until_) return false;
    if (real_clock().now() < *stall_until_) return true;
    stall_until_.reset();
    listen();
    return false;
  }

  void listen() const {
    epoll_event event{};
    event.events = EPOLLIN;
    if (::epoll_ctl(ready_.get(), EPOLL_CTL_ADD, inner_->fd(), &event) != 0) throw error_from_errno(errno, inner_->name(), "make faulty");
  }

  // 0: not by the timer.
  void wake_in(Nanoseconds span) {
    if (span.count() == 0 && !armed_) return;
    armed_ = span.count() != 0;
    itimerspec when{};
    when.it_value.tv_sec = span.count() / 1'000'000'000;
    when.it_value.tv_nsec = span.count() % 1'000'000'000;
    ::timerfd_settime(timer_.get(), 0, &when, nullptr);  // also takes back an expiry that was not read
  }

  std::unique_ptr<ByteStream> inner_;
  std::shared_ptr<LineFaultState> state_;
  UniqueFd ready_, timer_;
  std::array<char, 16384> buffer_{};
  std::string held_, sending_, owed_;
  std::optional<SteadyTime> stall_until_;
  bool armed_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> make_faulty_stream(std::unique_ptr<ByteStream> inner, std::shared_ptr<LineFaultState> state) {
  return std::make_unique<FaultyStream>(std::move(inner), std::move(state));
}

}  // namespace hilcop
