// SPDX-License-Identifier: Apache-2.0
#include "io/unix_stream.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "io/unix_socket.h"

namespace hilcop {
namespace {

class SocketStream final : public ByteStream {
 public:
  SocketStream(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  int fd() const override { return fd_.get(); }

  std::size_t read_some(std::span<std::byte> into) override {
    const auto n = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    throw gone();
  }
  std::size_t write_some(std::span<const std::byte> bytes) override {
    const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EINTR) return 0;
    throw gone();
  }
  void check_present() override {}  // a socket tells by itself: end of file
  void set_line(ModemLine, bool) override { throw unsupported("modem lines"); }
  void send_break(std::chrono::milliseconds) override { throw unsupported("a break"); }
  std::optional<LineCounters> line_counters() override { return std::nullopt; }

 private:
  Error gone() const {
    return {ErrorKind::Disconnected, name_, "the other side has closed the connection", "see whether the instrument still runs"};
  }
  Error unsupported(const std::string& what) const {
    return {ErrorKind::Unsupported, name_, "a socket has no " + what, "use a serial adapter that has"};
  }

  UniqueFd fd_;
  std::string name_;
};

}  // namespace

std::unique_ptr<ByteStream> make_socket_stream(UniqueFd fd, std::string name) {
  return std::make_unique<SocketStream>(std::move(fd), std::move(name));
}

std::unique_ptr<ByteStream> open_unix_stream(const std::filesystem::path& path, Deadline deadline) {
  return make_socket_stream(connect_unix(path, deadline), "unix:" + path.string());
}

}  // namespace hilcop
