// SPDX-License-Identifier: Apache-2.0
#include "soak/line.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <stdexcept>

#include "io/serial_stream.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

LineFaults faults_of(int number) {
  return {.seed = static_cast<std::uint64_t>(number) + 1,
          .drop_every = 50'000,
          .duplicate_every = 50'000,
          .corrupt_every = 50'000,
          .stall_every = 60'000,
          .disconnect_every = number % 2 == 0 ? 0u : 150'000u,
          .stall = 100ms};
}

}  // namespace

SoakLine::SoakLine(int number, const std::filesystem::path& record_dir, const std::vector<Watcher>& watchers, IoLoop& loop, EventSink& sink)
    : source_("c" + std::to_string(number) + "/main"), record_dir_(record_dir), faults_(faults_of(number)), model_(faults_, false) {
  state_ =
      std::make_shared<LineFaultState>(faults_, [this](const LineFault& fault) { breaks_ += fault.kind == LineFaultKind::Disconnect; });
  if (number % 2 == 0) {
    pty_.emplace();
    device_.reset(pty_->duplicate());
  } else {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socket pair");
    line_.reset(ends[0]), device_.reset(ends[1]);
  }
  ::fcntl(device_.get(), F_SETFL, O_NONBLOCK | ::fcntl(device_.get(), F_GETFL));
  ConsoleOptions options;
  options.source = source_;
  options.record_dir = record_dir;
  options.watchers = watchers;
  options.reopen = [this] { return connect(); };
  console_ = Console::open(connect(), options, loop, sink);
}

// The line outlives a connection: what was not read waits for the next.
std::unique_ptr<ByteStream> SoakLine::connect() {
  auto stream = pty_ ? open_serial_stream(pty_->port(), {}) : make_socket_stream(UniqueFd(::dup(line_.get())), source_);
  return make_faulty_stream(std::move(stream), state_);
}

std::size_t SoakLine::say(std::string_view text) {
  const auto n = ::write(device_.get(), text.data(), text.size());
  if (n <= 0) return 0;
  text = text.substr(0, static_cast<std::size_t>(n));
  sent_ += text.size();
  std::string arrives;
  while (!text.empty()) {
    if (model_.until_break() == 0) model_.take_break();
    const auto piece = std::min<std::uint64_t>(text.size(), model_.until_break());
    model_.pass(text.substr(0, piece), arrives);
    text.remove_prefix(piece);
  }
  expected_.add(arrives);
  return static_cast<std::size_t>(n);
}

std::size_t SoakLine::hear() {
  std::array<char, 4096> buffer;
  std::size_t heard = 0;
  for (ssize_t n = 0; (n = ::read(device_.get(), buffer.data(), buffer.size())) > 0;) heard += static_cast<std::size_t>(n);
  return heard;
}

StreamSum SoakLine::recorded() {
  console_->close();
  StreamSum sum;
  std::ifstream file(record_dir_ / ("c" + source_.substr(1, source_.find('/') - 1) + "-main.raw"), std::ios::binary);
  std::string block(1 << 20, '\0');
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0)
    sum.add(std::string_view(block).substr(0, static_cast<std::size_t>(file.gcount())));
  return sum;
}

}  // namespace hilcop
