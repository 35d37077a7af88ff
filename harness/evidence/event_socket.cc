// SPDX-License-Identifier: Apache-2.0
#include "evidence/event_socket.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "io/unix_socket.h"

namespace hilcop {
namespace {

constexpr std::size_t kMostBehind = 4u << 20;

}  // namespace

EventSocket::EventSocket(const std::filesystem::path& path)
    : path_(path), listener_(listen_unix(path)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), thread_([this] { run(); }) {}

EventSocket::~EventSocket() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
  ::unlink(path_.c_str());
}

bool EventSocket::has_readers() const {
  const std::scoped_lock lock(mutex_);
  return !readers_.empty();
}

void EventSocket::send(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  if (readers_.empty()) return;
  for (auto it = readers_.begin(); it != readers_.end();) {
    it->second.out += line;
    it = it->second.out.size() > kMostBehind ? readers_.erase(it) : std::next(it);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void EventSocket::run() {
  while (true) {
    std::vector<pollfd> set{{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    {
      const std::scoped_lock lock(mutex_);
      for (auto& [fd, reader] : readers_) set.push_back({fd, static_cast<short>(reader.out.empty() ? POLLIN : POLLIN | POLLOUT), 0});
    }
    ::poll(set.data(), set.size(), -1);
    std::uint64_t count = 0;
    if (set[0].revents != 0) [[maybe_unused]]
      const auto n = ::read(wake_.get(), &count, sizeof count);
    const std::scoped_lock lock(mutex_);
    for (auto& [fd, reader] : readers_) {
      const auto n = reader.out.empty() ? 0 : ::send(fd, reader.out.data(), reader.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0) reader.out.erase(0, static_cast<std::size_t>(n));
    }
    if (ending_) return;
    if (set[1].revents != 0)
      if (auto fd = accept_unix(listener_.get())) {
        const int number = fd->get();
        readers_[number].fd = std::move(*fd);
      }
    for (std::size_t i = 2; i < set.size(); ++i) {
      std::array<char, 512> ignored;
      const bool gone = (set[i].revents & (POLLHUP | POLLERR)) != 0 ||
                        ((set[i].revents & POLLIN) != 0 && ::recv(set[i].fd, ignored.data(), ignored.size(), MSG_DONTWAIT) == 0);
      if (gone) readers_.erase(set[i].fd);
    }
  }
}

}  // namespace hilcop
