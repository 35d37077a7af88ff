// SPDX-License-Identifier: Apache-2.0
#include "io/command_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/error.h"
#include "io/child_process.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

struct Ends {
  UniqueFd ours, childs;
};

Ends make_terminal(const std::string& object) {
  Ends ends;
  ends.ours.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> path{};
  if (!ends.ours || ::grantpt(ends.ours.get()) != 0 || ::unlockpt(ends.ours.get()) != 0 ||
      ::ptsname_r(ends.ours.get(), path.data(), path.size()) != 0)
    throw error_from_errno(errno, object, "make a pseudo-terminal");
  ends.childs.reset(::open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ends.childs) throw error_from_errno(errno, object, std::string("open ") + path.data());
  // Neither echo nor line ends of a terminal: the bytes are the board's.
  termios settings{};
  ::tcgetattr(ends.childs.get(), &settings);
  ::cfmakeraw(&settings);
  ::tcsetattr(ends.childs.get(), TCSANOW, &settings);
  const winsize size{24, 80, 0, 0};
  ::ioctl(ends.childs.get(), TIOCSWINSZ, &size);
  return ends;
}

Ends make_socket(const std::string& object) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw error_from_errno(errno, object, "make a socket");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string last_line_of(const std::string& text) {
  const auto end = text.find_last_not_of(" \r\n");
  if (end == std::string::npos) return "";
  const auto begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

class CommandStream final : public ByteStream {
 public:
  CommandStream(std::string name, UniqueFd fd, std::unique_ptr<ChildProcess> child)
      : name_(std::move(name)), fd_(std::move(fd)), child_(std::move(child)) {
    ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
  }
  const std::string& name() const override { return name_; }
  int fd() const override { return fd_.get(); }

  std::size_t read_some(std::span<std::byte> into) override {
    const auto n = ::read(fd_.get(), into.data(), into.size());
    if (n > 0) return static_cast<std::size_t>(n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    throw gone();  // EIO: a terminal that nobody has open any more
  }
  std::size_t write_some(std::span<const std::byte> bytes) override {
    const auto n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EINTR) return 0;
    throw gone();
  }
  // It may have left somebody behind who keeps the terminal open. What it had said is read first.
  void check_present() override {
    int waiting = 0;
    if (!child_->running() && (::ioctl(fd_.get(), FIONREAD, &waiting) != 0 || waiting == 0)) throw gone();
  }
  void set_line(ModemLine, bool) override { throw unsupported("modem lines"); }
  void send_break(std::chrono::milliseconds) override { throw unsupported("a break"); }
  std::optional<LineCounters> line_counters() override { return std::nullopt; }

 private:
  Error gone() {
    // Its output closes a moment before it has ended. Whoever reads may be a thread that no interrupt is meant for.
    pollfd end{child_->pidfd(), POLLIN, 0};
    if (child_->running()) ::poll(&end, 1, 100);
    const auto status = !child_->running() ? child_->wait(Deadline::in({}))->text() : "it closed its output";
    const auto words = last_line_of(child_->output());
    return {ErrorKind::Disconnected, name_, "the program has ended: " + status + (words.empty() ? "" : ", and said: " + words),
            "run it by hand to see why"};
  }
  Error unsupported(const std::string& what) const {
    return {ErrorKind::Unsupported, name_, "a program has no " + what, "use the driver serial or rfc2217"};
  }

  std::string name_;
  UniqueFd fd_;
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace

std::unique_ptr<ByteStream> open_command_stream(const CommandOptions& options) {
  std::string name = "command:" + options.program;
  for (const auto& argument : options.arguments) name += " " + argument;
  auto ends = options.terminal ? make_terminal(name) : make_socket(name);
  ProcessOptions process;
  process.program = options.program;
  process.arguments = options.arguments;
  process.environment = options.environment;
  process.directory = options.directory;
  process.capture_output = true;  // stderr alone: the others are ours
  process.own_terminal = options.terminal;
  process.pass_descriptors = {{ends.childs.get(), 0}, {ends.childs.get(), 1}};
  return std::make_unique<CommandStream>(std::move(name), std::move(ends.ours), ChildProcess::start(std::move(process)));
}

}  // namespace hilcop
