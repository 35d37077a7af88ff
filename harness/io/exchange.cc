// SPDX-License-Identifier: Apache-2.0
#include "io/exchange.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr std::size_t kShown = 80;

// False at the deadline. A signal does not end it.
bool ready(int fd, short events, Deadline deadline) {
  while (true) {
    pollfd entry{fd, events, 0};
    const int count = ::poll(&entry, 1, deadline.poll_timeout_ms());
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) throw error_from_errno(errno, "descriptor", "poll");
    if (count == 0 && deadline.expired()) return false;
  }
}

}  // namespace

std::string shown(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes.substr(0, kShown)) {
    if (byte == '\r')
      text += "\\r";
    else if (byte == '\n')
      text += "\\n";
    else if (byte < 0x20 || byte >= 0x7f)
      text += fmt::format("\\x{:02x}", byte);
    else
      text += static_cast<char>(byte);
  }
  return "'" + text + (bytes.size() > kShown ? "'..." : "'");
}

// A stream names itself in its errors ("tcp:10.0.0.7:5025"); whoever asked knows the instrument.
template <typename Action>
auto Exchange::with_stream(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    throw Error(error.kind(), object_, error.object() + ": " + error.cause(), error.remedy(), error.context());
  }
}

void Exchange::send(std::string_view bytes, Deadline deadline) {
  auto left = std::as_bytes(std::span(bytes));
  while (true) {
    left = left.subspan(with_stream([&] { return stream_.write_some(left); }));
    if (left.empty()) return;
    if (!ready(stream_.write_fd(), POLLOUT, deadline))
      throw Error(ErrorKind::Timeout, object_, "does not take what is sent to it", "check its power and its flow control");
  }
}

void Exchange::more(Deadline deadline, const std::string& missing) {
  std::array<char, 4096> chunk;
  while (true) {
    // Looked for before the clock: an answer that is there counts, however late we are.
    const auto count = with_stream([&] { return stream_.read_some(std::as_writable_bytes(std::span(chunk))); });
    if (count > 0) return void(input_.append(chunk.data(), count));
    with_stream([&] { stream_.check_present(); });
    if (!ready(stream_.fd(), POLLIN, deadline))
      throw Error(ErrorKind::Timeout, object_,
                  "did not answer in time: " + missing + (input_.empty() ? ", and nothing came" : ", only " + shown(input_) + " came"),
                  "check its power, its cable and its settings");
  }
}

std::string Exchange::receive_until(std::string_view end, Deadline deadline, std::size_t most) {
  while (true) {
    if (const auto at = input_.find(end); at != std::string::npos) {
      auto answer = input_.substr(0, at + end.size());
      input_.erase(0, at + end.size());
      return answer;
    }
    if (input_.size() >= most) {
      const auto garbage = std::exchange(input_, {});
      throw Error(ErrorKind::Protocol, object_,
                  "sent " + std::to_string(garbage.size()) + " bytes without " + shown(end) + ": " + shown(garbage),
                  "check its baud rate and that it is the instrument which lab-config says");
    }
    more(deadline, "its answer must end in " + shown(end));
  }
}

std::string Exchange::receive(std::size_t bytes, Deadline deadline) {
  while (input_.size() < bytes) more(deadline, "its answer has " + std::to_string(bytes) + " bytes");
  auto answer = input_.substr(0, bytes);
  input_.erase(0, bytes);
  return answer;
}

void Exchange::drop_input() {
  input_.clear();
  std::array<std::byte, 4096> chunk;
  // Bounded: who never stops talking is found out by the next answer.
  for (int i = 0; i < 64 && with_stream([&] { return stream_.read_some(chunk); }) > 0; ++i) continue;
}

}  // namespace hilcop
