// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/unique_fd.h"

namespace hilcop {

/// A server on a free port of loopback whose every connection is served by `serve`, one after another, in a thread of its own. What a
/// connection still wants when the server goes is cut off.
class TcpServer {
 public:
  class Peer {
   public:
    explicit Peer(UniqueFd fd) : fd_(std::move(fd)) {}
    int fd() const { return fd_.get(); }
    /// Up to and including `end`, or what came before the other side closed.
    std::string hear(std::string_view end) {
      std::array<char, 4096> chunk;
      while (heard_.find(end) == std::string::npos) {
        const auto n = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
        if (n <= 0) break;
        heard_.append(chunk.data(), static_cast<std::size_t>(n));
      }
      return heard_;
    }
    /// False: the other side is gone.
    bool say(std::string_view bytes, std::size_t at_once = 65536) {
      while (!bytes.empty()) {
        const auto n = ::send(fd_.get(), bytes.data(), std::min(bytes.size(), at_once), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
      }
      return true;
    }
    /// True: still there after that time.
    bool stays(int milliseconds) {
      pollfd entry{fd_.get(), POLLRDHUP, 0};
      return ::poll(&entry, 1, milliseconds) == 0;
    }

   private:
    UniqueFd fd_;
    std::string heard_;
  };

  explicit TcpServer(std::function<void(Peer&)> serve)
      : serve_(std::move(serve)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_.get(), 16) != 0)
      throw std::runtime_error("no listening socket on loopback");
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int fd = -1; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        current_ = fd;
        if (ending_) ::shutdown(fd, SHUT_RDWR);
        Peer peer{UniqueFd(fd)};
        serve_(peer);
        current_ = -1;
      }
    });
  }
  ~TcpServer() {
    ending_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    if (const int fd = current_; fd >= 0) ::shutdown(fd, SHUT_RDWR);
    thread_.join();
  }
  TcpServer(const TcpServer&) = delete;
  int port() const { return port_; }

 private:
  std::function<void(Peer&)> serve_;
  UniqueFd listener_;
  std::atomic<int> current_{-1};
  std::atomic<bool> ending_{false};
  int port_ = 0;
  std::thread thread_;
};

}  // namespace hilcop
