// SPDX-License-Identifier: Apache-2.0
#include "network/services/dns_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace hilcop::services {
namespace {

constexpr std::size_t kLengthBytes = 2, kLargestMessage = kLengthBytes + 65535;
// Nothing more is read of a client that does not take its answers.
constexpr std::size_t kMostUnsent = 65536, kMostWaiting = 256;

}  // namespace

bool DnsConnection::blocked() const { return out_.size() >= kMostUnsent || waiting >= kMostWaiting; }

short DnsConnection::events() const {
  short wanted = 0;
  if (!ended_ && !blocked() && left_over().size() < kLargestMessage) wanted |= POLLIN;
  if (!out_.empty()) wanted |= POLLOUT;
  return wanted;
}

void DnsConnection::serve(short revents) {
  in_.erase(0, taken_);
  taken_ = 0;
  // What came before a reset is still to be read.
  if ((revents & POLLIN) != 0)
    read();
  else if ((revents & (POLLERR | POLLNVAL | POLLHUP)) != 0)
    broken_ = true;
  if ((revents & POLLOUT) != 0) flush();
}

void DnsConnection::read() {
  char piece[16384];
  const auto n = ::recv(fd_.get(), piece, std::min(sizeof piece, kLargestMessage - in_.size()), MSG_DONTWAIT);
  if (n < 0) {
    broken_ = errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
    return;
  }
  if (n == 0) ended_ = true;
  in_.append(piece, static_cast<std::size_t>(n));
}

std::optional<std::string_view> DnsConnection::next_message() {
  const auto rest = std::string_view(in_).substr(taken_);
  if (blocked() || rest.size() < kLengthBytes) return std::nullopt;
  const std::size_t length = static_cast<std::uint8_t>(rest[0]) << 8 | static_cast<std::uint8_t>(rest[1]);
  if (rest.size() < kLengthBytes + length) return std::nullopt;
  taken_ += kLengthBytes + length;
  return rest.substr(kLengthBytes, length);
}

void DnsConnection::send(std::string_view message) {
  out_ += static_cast<char>(message.size() >> 8);
  out_ += static_cast<char>(message.size());
  out_ += message;
}

void DnsConnection::flush() {
  if (broken_ || out_.empty()) return;
  const auto n = ::send(fd_.get(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0)
    broken_ = errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
  else
    out_.erase(0, static_cast<std::size_t>(n));
}

}  // namespace hilcop::services
