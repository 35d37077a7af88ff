// SPDX-License-Identifier: Apache-2.0
#include "io/unix_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"

namespace hilcop {
namespace {

constexpr std::size_t kMaxLine = 16u << 20;

std::string object_of(const std::filesystem::path& path) { return "socket " + path.string(); }

// sun_path holds 107 bytes: a longer path is reached through its directory's descriptor.
struct Address {
  explicit Address(const std::filesystem::path& path) {
    std::string text = path.string();
    if (text.size() >= sizeof value.sun_path) {
      directory.reset(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      if (!directory) throw error_from_errno(errno, object_of(path), "open its directory");
      text = "/proc/self/fd/" + std::to_string(directory.get()) + "/" + path.filename().string();
      if (text.size() >= sizeof value.sun_path) throw Error(ErrorKind::Config, object_of(path), "its name is too long", "shorten it");
    }
    value.sun_family = AF_UNIX;
    std::memcpy(value.sun_path, text.c_str(), text.size() + 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&value); }

  UniqueFd directory;
  sockaddr_un value{};
};

UniqueFd new_socket(const std::filesystem::path& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw error_from_errno(errno, object_of(path), "make a socket");
  return fd;
}

bool somebody_listens(const std::filesystem::path& path) {
  const UniqueFd probe = new_socket(path);
  const Address address(path);
  // EAGAIN: a live listener with a full queue.
  return ::connect(probe.get(), address.get(), sizeof address.value) == 0 || errno == EAGAIN;
}

}  // namespace

UniqueFd listen_unix(const std::filesystem::path& path) {
  UniqueFd fd = new_socket(path);
  const Address address(path);
  const mode_t before = ::umask(0177);
  int bound = ::bind(fd.get(), address.get(), sizeof address.value);
  if (bound != 0 && errno == EADDRINUSE && !somebody_listens(path)) {
    ::unlink(path.c_str());
    bound = ::bind(fd.get(), address.get(), sizeof address.value);
  }
  const int failed = bound == 0 ? 0 : errno;
  ::umask(before);
  if (failed == EADDRINUSE) throw Error(ErrorKind::Busy, object_of(path), "another process listens on it", "stop that process first");
  if (failed != 0) throw error_from_errno(failed, object_of(path), "bind");
  if (::listen(fd.get(), 64) != 0) throw error_from_errno(errno, object_of(path), "listen");
  return fd;
}

UniqueFd connect_unix(const std::filesystem::path& path, Deadline deadline) {
  while (true) {
    UniqueFd fd = new_socket(path);
    const Address address(path);
    if (::connect(fd.get(), address.get(), sizeof address.value) == 0) return fd;
    if (errno == ECONNREFUSED)
      throw Error(ErrorKind::Disconnected, object_of(path), "nobody listens on it", "start the program that serves it");
    if (errno != EAGAIN && errno != EINTR) throw error_from_errno(errno, object_of(path), "connect");
    if (deadline.expired()) throw Error(ErrorKind::Timeout, object_of(path), "its listener does not accept", "see whether it hangs");
    wait_until(deadline.at_most(5ms));
  }
}

std::optional<UniqueFd> accept_unix(int listener) {
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd >= 0) return UniqueFd(fd);
  if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::nullopt;
  throw error_from_errno(errno, "listening socket", "accept");
}

PeerCredentials peer_credentials(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    throw error_from_errno(errno, "socket", "ask for the peer's credentials");
  return {credentials.pid, credentials.uid};
}

bool peer_is_in_group(int fd, gid_t group) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 && credentials.gid == group) return true;
  std::vector<gid_t> groups(65536);  // NGROUPS_MAX
  size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
  groups.resize(size / sizeof(gid_t));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::optional<UniqueFd> inherited_listener() {
  const auto taken = [](const char* name) {
    const char* value = std::getenv(name);
    const std::string text = value != nullptr ? value : "";
    ::unsetenv(name);  // what we start must not take it for its own
    return text;
  };
  const auto pid = taken("LISTEN_PID"), count = taken("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  if (pid != std::to_string(::getpid()) || count.empty() || count == "0") return std::nullopt;
  constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
  UniqueFd fd(kFirst);
  int listens = 0, family = 0;
  socklen_t size = sizeof(int);
  const bool sound = count == "1" && ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 1 &&
                     ::getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
  if (!sound)
    throw Error(ErrorKind::Config, "socket from systemd", "is not one listening unix socket",
                "give the .socket unit one ListenStream= with a path");
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  return fd;
}

std::filesystem::path path_of_socket(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) throw error_from_errno(errno, "socket", "ask for its path");
  return std::string(address.sun_path, ::strnlen(address.sun_path, sizeof address.sun_path));
}

void JsonLines::send(const nlohmann::json& value, Deadline deadline) {
  const std::string line = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  std::size_t sent = 0;
  while (sent < line.size()) {
    const auto n = ::send(fd_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      pollfd writable{fd_.get(), POLLOUT, 0};
      if (::poll(&writable, 1, deadline.poll_timeout_ms()) == 0 || deadline.expired())
        throw Error(ErrorKind::Timeout, peer_, "does not take what is sent to it", "see whether it hangs");
    } else if (errno != EINTR) {
      throw Error(ErrorKind::Disconnected, peer_, std::string("connection lost: ") + std::strerror(errno), "see whether it still runs");
    }
  }
}

std::optional<nlohmann::json> JsonLines::take_line() {
  const auto end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    if (buffer_.size() > kMaxLine) throw Error(ErrorKind::Protocol, peer_, "sent a line of more than 16 MiB");
    return std::nullopt;
  }
  const std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  scanned_ = 0;
  auto value = nlohmann::json::parse(line, nullptr, false);
  if (value.is_discarded()) throw Error(ErrorKind::Protocol, peer_, "sent a line that is not JSON: '" + line.substr(0, 80) + "'");
  return value;
}

std::optional<nlohmann::json> JsonLines::receive_now() {
  if (auto line = take_line()) return line;
  std::array<char, 65536> chunk;
  const auto n = ::recv(fd_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (n == 0) throw Error(ErrorKind::Disconnected, peer_, "closed the connection", "see whether it still runs");
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (n < 0) throw Error(ErrorKind::Disconnected, peer_, std::string("connection lost: ") + std::strerror(errno));
  buffer_.append(chunk.data(), static_cast<std::size_t>(n));
  return take_line();
}

std::optional<nlohmann::json> JsonLines::receive(Deadline deadline) {
  if (auto line = take_line()) return line;
  while (wait_ready(fd_.get(), POLLIN, deadline))
    if (auto line = receive_now()) return line;
  return std::nullopt;
}

}  // namespace hilcop
