// SPDX-License-Identifier: Apache-2.0
#include "instruments/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace hilcop {
namespace {

constexpr int kPatienceMs = 5000;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

UniqueFd socket_of(WireKind kind) {
  return UniqueFd(::socket(AF_INET, (kind == WireKind::Udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
}

UniqueFd connected(WireKind kind, int port) {
  auto fd = socket_of(kind);
  const auto address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("nobody listens");
  const int one = 1;
  if (kind == WireKind::Tcp) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

UniqueFd opened_raw(const std::string& port) {
  UniqueFd fd(::open(port.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  if (!fd || ::tcgetattr(fd.get(), &settings) != 0) throw std::runtime_error("no serial port at " + port);
  ::cfmakeraw(&settings);
  ::tcsetattr(fd.get(), TCSANOW, &settings);
  return fd;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

std::size_t bytes_of(const WireScript& script) {
  std::size_t all = 0;
  for (const auto& step : script) all += step.sent.size() + step.received;
  return all;
}

WireTap::WireTap(WireKind kind, int port, std::string serial_port)
    : kind_(kind), upstream_port_(port), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (kind == WireKind::Serial) {
    pty_ = std::make_unique<PtyPort>();
    client_.reset(pty_->duplicate());
    upstream_ = opened_raw(serial_port);
  } else {
    listener_ = socket_of(kind);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) throw std::runtime_error("no port is free");
    if (kind == WireKind::Tcp) ::listen(listener_.get(), 8);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  if (kind == WireKind::Udp) upstream_ = connected(kind, port);
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

WireTap::~WireTap() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

WireScript WireTap::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(script_, {});
}

void WireTap::note(WireStep step) {
  const std::scoped_lock lock(mutex_);
  // One read of the client after the other is one waiting.
  if (step.what == WireStep::What::Receive && !script_.empty() && script_.back().what == step.what)
    script_.back().received += step.received;
  else
    script_.push_back(std::move(step));
}

void WireTap::pass(bool from_client, std::string_view bytes) {
  // First the note: whoever has the answer may take the script.
  if (from_client)
    note({WireStep::What::Send, std::string(bytes)});
  else
    note({WireStep::What::Receive, {}, bytes.size()});
  write_all(from_client ? upstream_.get() : client_.get(), bytes);
}

void WireTap::serve(const std::stop_token& stop) {
  std::array<char, 65536> chunk;
  while (!stop.stop_requested()) {
    const bool udp = kind_ == WireKind::Udp;
    std::array<pollfd, 4> set{{{wake_.get(), POLLIN, 0},
                               {udp || !client_ ? listener_.get() : -1, POLLIN, 0},
                               {udp ? -1 : client_.get(), POLLIN, 0},
                               {upstream_.get(), POLLIN, 0}}};
    ::poll(set.data(), set.size(), -1);
    if (udp && set[1].revents != 0) {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      const auto n = ::recvfrom(listener_.get(), chunk.data(), chunk.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
      if (n <= 0) continue;
      ::connect(listener_.get(), reinterpret_cast<const sockaddr*>(&peer), size);
      client_.reset(::dup(listener_.get()));
      pass(true, {chunk.data(), static_cast<std::size_t>(n)});
    } else if (set[1].revents != 0) {
      client_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      upstream_ = connected(kind_, upstream_port_);
      note({WireStep::What::Connect});
    }
    for (const bool from_client : {true, false}) {
      if (set[from_client ? 2 : 3].revents == 0) continue;
      const auto n = ::read(from_client ? client_.get() : upstream_.get(), chunk.data(), chunk.size());
      if (n > 0) {
        pass(from_client, {chunk.data(), static_cast<std::size_t>(n)});
      } else if (kind_ == WireKind::Tcp) {
        if (client_) note({WireStep::What::Close});
        client_.reset();
        upstream_.reset();
      } else if (kind_ == WireKind::Serial) {
        ::poll(set.data(), 1, 2);  // nobody has the port open
      }
    }
  }
}

BareClient::BareClient(WireKind kind, int port) : kind_(kind), port_(port) { connect(); }

void BareClient::connect() { fd_ = connected(kind_, port_); }

void BareClient::play(const WireScript& script) {
  std::array<char, 65536> chunk;
  for (const auto& step : script) {
    if (step.what == WireStep::What::Close) fd_.reset();
    if (step.what == WireStep::What::Connect) connect();
    if (step.what == WireStep::What::Send && !write_all(fd_.get(), step.sent)) throw std::runtime_error("the connection is lost");
    for (std::size_t got = 0; step.what == WireStep::What::Receive && got < step.received;) {
      pollfd entry{fd_.get(), POLLIN, 0};
      const auto n = ::poll(&entry, 1, kPatienceMs) == 1 ? ::read(fd_.get(), chunk.data(), chunk.size()) : 0;
      if (n <= 0) throw std::runtime_error("the answer is shorter than before");
      got += static_cast<std::size_t>(n);
    }
  }
}

}  // namespace hilcop
