// SPDX-License-Identifier: Apache-2.0
#include "network/scan/ready_set.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"

namespace hilcop {

ReadySet::ReadySet() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw error_from_errno(errno, "this process", "no epoll");
}

void ReadySet::add(int fd, std::uint32_t events, void* who) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = who;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    throw error_from_errno(errno, "this process", "cannot wait for a descriptor");
}

void ReadySet::wait(SteadyTime until) {
  const auto left = std::max(Nanoseconds(0), Nanoseconds(until - real_clock().now()));
  const timespec span{.tv_sec = static_cast<time_t>(left / 1s), .tv_nsec = static_cast<long>((left % 1s).count())};
  ready_ = std::max(0, ::epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()), &span, nullptr));
}

std::vector<void*> ReadySet::take() {
  std::vector<void*> result;
  const int ready = std::exchange(ready_, 0);
  for (int i = 0; i < ready; ++i)
    if (void* const who = events_[static_cast<std::size_t>(i)].data.ptr) result.push_back(who);
  return result;
}

}  // namespace hilcop
