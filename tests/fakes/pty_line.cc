// SPDX-License-Identifier: Apache-2.0
#include "fakes/pty_line.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

namespace hilcop {

PtyLine::PtyLine(const std::filesystem::path& one, const std::filesystem::path& other)
    : links_{one, other}, wake_(::eventfd(0, EFD_CLOEXEC)) {
  for (std::size_t i = 0; i < 2; ++i) std::filesystem::create_symlink(ports_[i].terminal(), links_[i]);
  thread_ = std::jthread([this](const std::stop_token& stop) { carry(stop); });
}

PtyLine::~PtyLine() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
  for (const auto& link : links_) std::filesystem::remove(link);
}

void PtyLine::carry(const std::stop_token& stop) {
  const UniqueFd ends[2] = {UniqueFd(ports_[0].duplicate()), UniqueFd(ports_[1].duplicate())};
  std::array<char, 4096> chunk;
  while (!stop.stop_requested()) {
    std::array<pollfd, 3> set{{{ends[0].get(), POLLIN, 0}, {ends[1].get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    ::poll(set.data(), set.size(), -1);
    bool closed = false;
    for (std::size_t i = 0; i < 2; ++i) {
      if (set[i].revents == 0) continue;
      const auto n = ::read(set[i].fd, chunk.data(), chunk.size());
      // Nobody has it open: what is sent there is lost, as on a line.
      closed = closed || n < 0;
      if (n > 0) [[maybe_unused]]
        const auto sent = ::write(ends[1 - i].get(), chunk.data(), static_cast<std::size_t>(n));
    }
    if (closed) ::poll(&set[2], 1, 2);
  }
}

}  // namespace hilcop
