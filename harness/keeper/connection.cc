// SPDX-License-Identifier: Apache-2.0
#include "keeper/connection.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace hilcop {
namespace {

constexpr std::size_t kMaxOut = 1u << 20;
constexpr std::size_t kMaxLine = 1u << 20;

}  // namespace

Connection::Connection(UniqueFd fd, pid_t pid, std::string user)
    : fd_(std::move(fd)), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), pid_(pid), user_(std::move(user)) {
  if (!pidfd_) dead_ = true;  // it has ended already
}

void Connection::send(const nlohmann::json& value) {
  out_ += value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (out_.size() > kMaxOut) dead_ = true;
  flush();
}

void Connection::flush() {
  while (!out_.empty() && !dead_) {
    const auto n = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      out_.erase(0, static_cast<std::size_t>(n));
    } else {
      if (errno != EAGAIN && errno != EINTR) dead_ = true;
      return;
    }
  }
}

std::vector<nlohmann::json> Connection::read() {
  std::array<char, 65536> chunk;
  const auto n = ::recv(fd_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) dead_ = true;
  if (n > 0) in_.append(chunk.data(), static_cast<std::size_t>(n));
  std::vector<nlohmann::json> lines;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = in_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    auto value = nlohmann::json::parse(in_.begin() + static_cast<std::ptrdiff_t>(begin), in_.begin() + static_cast<std::ptrdiff_t>(end),
                                       nullptr, false);
    lines.push_back(value.is_object() ? std::move(value) : nlohmann::json());
  }
  in_.erase(0, begin);
  if (in_.size() > kMaxLine) dead_ = true;
  return lines;
}

}  // namespace hilcop
