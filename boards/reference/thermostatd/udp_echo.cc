// SPDX-License-Identifier: Apache-2.0
#include "udp_echo.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"

namespace ht1 {

UdpEcho::UdpEcho(const std::string& address, int port, std::string says)
    : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), says_(std::move(says)) {
  int ends[2];
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool ok = socket_ && ::inet_pton(AF_INET, address.c_str(), &at.sin_addr) == 1 &&
                  ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0 && ::pipe2(ends, O_CLOEXEC) == 0;
  if (!ok) throw Failure("UDP port " + std::to_string(port) + ": cannot be had; is it free and allowed?");
  stop_read_ = Fd(ends[0]), stop_write_ = Fd(ends[1]);
  thread_ = std::thread([this] { run(); });
}

UdpEcho::~UdpEcho() {
  stop_write_ = Fd();
  thread_.join();
}

int UdpEcho::port() const {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

void UdpEcho::run() const {
  pollfd both[] = {{socket_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
  while (::poll(both, 2, -1) > 0 && both[1].revents == 0) {
    char bytes[64];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    if (::recvfrom(socket_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size) >= 0)
      ::sendto(socket_.get(), says_.data(), says_.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }
}

}  // namespace ht1
