// SPDX-License-Identifier: Apache-2.0
#include "network/wire/cable.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "io/unix_socket.h"

namespace hilcop {

namespace {

constexpr std::size_t kLengthBytes = 4, kMostInAFrame = 65536, kReadAtOnce = 256 * 1024;

std::size_t length_at(const std::byte* bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | static_cast<std::size_t>(bytes[i]);
  return length;
}

}  // namespace

Cable::Cable(UniqueFd tap, std::filesystem::path socket, std::function<void(bool)> on_plug)
    : tap_(std::move(tap)),
      on_plug_(std::move(on_plug)),
      path_(std::move(socket)),
      listener_(listen_unix(path_)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      in_(kReadAtOnce + kLengthBytes + kMostInAFrame),
      thread_([this] { run(); }) {}

Cable::~Cable() {
  ending_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void Cable::accept() {
  auto next = accept_unix(listener_.get());
  if (!next || machine_) return;
  machine_ = std::move(*next);
  filled_ = sent_ = 0;
  out_.clear();
  connected_ = true;
  on_plug_(true);
}

void Cable::gone() {
  machine_.reset();
  connected_ = false;
  on_plug_(false);
}

void Cable::from_machine() {
  const auto size = ::read(machine_.get(), in_.data() + filled_, kReadAtOnce);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return gone();
  filled_ += static_cast<std::size_t>(size);
  std::size_t at = 0;
  while (filled_ - at >= kLengthBytes) {
    const auto length = length_at(in_.data() + at);
    if (length > kMostInAFrame) return gone();  // no frame: whoever it is, it speaks something else
    if (filled_ - at < kLengthBytes + length) break;
    // A tap that is down takes nothing: a cable without a far end.
    [[maybe_unused]] const auto n = ::write(tap_.get(), in_.data() + at + kLengthBytes, length);
    at += kLengthBytes + length;
  }
  std::memmove(in_.data(), in_.data() + at, filled_ - at);
  filled_ -= at;
}

void Cable::from_tap() {
  out_.resize(kLengthBytes + kMostInAFrame);
  const auto size = ::read(tap_.get(), out_.data() + kLengthBytes, kMostInAFrame);
  out_.resize(size <= 0 ? 0 : kLengthBytes + static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < kLengthBytes && !out_.empty(); ++i)
    out_[i] = static_cast<std::byte>(static_cast<std::uint32_t>(size) >> (8 * (kLengthBytes - 1 - i)));
  sent_ = 0;
  if (machine_) write_out();
}

void Cable::write_out() {
  while (sent_ < out_.size()) {
    const auto size = ::send(machine_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) return gone();
    sent_ += static_cast<std::size_t>(size);
  }
}

void Cable::run() {
  while (!ending_) {
    const bool waits = sent_ < out_.size() && machine_;
    pollfd ready[] = {{listener_.get(), POLLIN, 0},
                      {wake_.get(), POLLIN, 0},
                      {waits ? -1 : tap_.get(), POLLIN, 0},
                      {machine_.get(), static_cast<short>(POLLIN | (waits ? POLLOUT : 0)), 0}};
    ::poll(ready, 4, 1000);
    if (ready[0].revents != 0) accept();
    if ((ready[3].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && machine_) from_machine();
    if ((ready[3].revents & POLLOUT) != 0 && machine_) write_out();
    if (ready[2].revents != 0) from_tap();
  }
}

}  // namespace hilcop
