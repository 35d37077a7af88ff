// SPDX-License-Identifier: Apache-2.0
#include "io/socket_stream.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/host_address.h"
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

void set_option(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

// A peer without power answers nothing: without keepalive that would look like silence for ever.
void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 5);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 15'000);
}

Error not_connected(int why, const std::string& object) {
  if (why == ECONNREFUSED)
    return {ErrorKind::Disconnected, object, "nobody listens there", "see whether the instrument runs and whether the port is right"};
  if (why == ETIMEDOUT)
    return {ErrorKind::Timeout, object, "did not take the connection in time", "check its power, its cable, its address"};
  return error_from_errno(why, object, "connect");
}

UniqueFd connect_tcp(const std::string& host, int port, const std::string& object, Deadline deadline) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* address = nullptr;
  if (::getaddrinfo(numeric_host(host, object, deadline).c_str(), std::to_string(port).c_str(), &wanted, &address) != 0)
    throw Error(ErrorKind::Config, object, "port " + std::to_string(port) + " is none", "give 1 to 65535");
  UniqueFd fd(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int failed = !fd || ::connect(fd.get(), address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
  ::freeaddrinfo(address);
  if (!fd) throw error_from_errno(errno, object, "make a socket");
  if (failed != 0 && failed != EINPROGRESS) throw not_connected(failed, object);
  if (!wait_ready(fd.get(), POLLOUT, deadline)) throw not_connected(ETIMEDOUT, object);
  int why = 0;
  socklen_t size = sizeof why;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &why, &size);
  if (why != 0) throw not_connected(why, object);
  tune(fd.get());
  return fd;
}

}  // namespace

std::unique_ptr<ByteStream> open_tcp_stream(const std::string& host, int port, const std::string& object, Deadline deadline) {
  return make_socket_stream(connect_tcp(host, port, object, deadline), "tcp:" + host + ":" + std::to_string(port));
}

std::unique_ptr<ByteStream> make_socket_stream(UniqueFd fd, std::string name) {
  return std::make_unique<SocketStream>(std::move(fd), std::move(name));
}

std::unique_ptr<ByteStream> open_unix_stream(const std::filesystem::path& path, Deadline deadline) {
  return make_socket_stream(connect_unix(path, deadline), "unix:" + path.string());
}

}  // namespace hilcop
