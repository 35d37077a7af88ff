// SPDX-License-Identifier: Apache-2.0
#include "fakes/rfc2217_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace hilcop {
namespace {

using namespace std::chrono_literals;

constexpr unsigned char kSe = 240, kSb = 250, kWill = 251, kWont = 252, kDo = 253, kDont = 254, kIac = 255, kComPort = 44;

std::string code(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text += static_cast<char>(byte);
  return text;
}

}  // namespace

Rfc2217Server::Rfc2217Server(Illness illness) : illness_(std::move(illness)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  listen();
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

Rfc2217Server::~Rfc2217Server() {
  thread_.request_stop();
  wake();
}

void Rfc2217Server::listen() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port_));
  socklen_t size = sizeof address;
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd.get(), 4) != 0)
    throw std::runtime_error("no listening socket on loopback");
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  listener_ = std::move(fd);
}

void Rfc2217Server::serve(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::array<pollfd, 3> set{};
    {
      const std::scoped_lock lock(mutex_);
      set = {pollfd{wake_.get(), POLLIN, 0}, {client_ ? -1 : listener_.get(), POLLIN, 0}, {client_.get(), POLLIN, 0}};
    }
    ::poll(set.data(), set.size(), -1);
    std::uint64_t count = 0;
    if (set[0].revents != 0) [[maybe_unused]]
      const auto n = ::read(wake_.get(), &count, sizeof count);
    const std::scoped_lock lock(mutex_);
    if (set[1].revents != 0 && listener_) {
      client_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      const int yes = 1;
      ::setsockopt(client_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      state_ = 0, binary_ = false, ready_ = illness_.no_telnet;
      send(illness_.greeting);
    } else if (set[2].revents != 0 && client_.get() == set[2].fd) {
      std::array<unsigned char, 4096> chunk;
      const auto n = ::recv(client_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (n <= 0) client_.reset(), ready_ = false;
      for (ssize_t i = 0; i < n; ++i)
        illness_.no_telnet ? void(heard_ += static_cast<char>(chunk[static_cast<std::size_t>(i)]))
                           : take(chunk[static_cast<std::size_t>(i)]);
    }
    changed_.notify_all();
  }
}

void Rfc2217Server::take(unsigned char byte) {
  enum { kData, kAfterIac, kOption, kIn, kInIac, kAfterCr };
  switch (state_) {
    case kAfterCr:
      state_ = kData;
      if (byte == 0) return;
      [[fallthrough]];
    case kData:
      if (byte == kIac)
        state_ = kAfterIac;
      else
        heard_ += static_cast<char>(byte);
      if (byte == '\r' && !binary_) state_ = kAfterCr;
      return;
    case kAfterIac:
      state_ = kData;
      if (byte == kIac) heard_ += static_cast<char>(byte);
      if (byte == kSb) state_ = kIn, sub_.clear();
      if (byte >= kWill) verb_ = byte, state_ = byte == kIac ? kData : kOption;
      return;
    case kOption:
      state_ = kData;
      return negotiate(verb_, byte);
    case kIn:
      if (byte == kIac)
        state_ = kInIac;
      else
        sub_ += static_cast<char>(byte);
      return;
    default:
      state_ = byte == kSe ? kData : kIn;
      if (byte == kSe) return command(sub_);
      sub_ += static_cast<char>(byte);
  }
}

void Rfc2217Server::negotiate(unsigned char verb, unsigned char option) {
  const bool known = option == 0 || option == 3 || option == kComPort;
  const bool good = known && !(option == kComPort && illness_.refuses) && !(option == 0 && illness_.no_binary);
  if (verb == kWill) send(code({kIac, good ? kDo : kDont, option}));
  if (verb == kDo) send(code({kIac, good ? kWill : kWont, option}));
  if (verb == kWill && option == 0) binary_ = good;
  if (option == kComPort) ready_ = true;
}

void Rfc2217Server::command(const std::string& payload) {
  if (payload.size() < 2 || static_cast<unsigned char>(payload[0]) != kComPort) return;
  const int which = payload[1];
  std::string value = payload.substr(2);
  const int control = which == 5 && !value.empty() ? value[0] : -1;
  asked_[{which, control}] = value;
  if (control == 8 || control == 9) dtr_ = control == 8;
  if (control == 11 || control == 12) rts_ = control == 11;
  if (control == 5) ++breaks_;
  if (control == 5 || control == 6) broken_ = control == 5;
  if (illness_.mute || (which == 5 && illness_.mute_controls)) return;
  if (which == 0) value = "fake";
  if (which == 1 && illness_.other_baud != 0) {
    const int baud = illness_.other_baud;
    value = code({baud >> 24, baud >> 16, baud >> 8, baud});
  }
  if (illness_.contrary_lines && control >= 8) value = code({control == 8 ? 9 : control == 9 ? 8 : control == 11 ? 12 : 11});
  std::string doubled;
  for (const char c : value) doubled.append(static_cast<unsigned char>(c) == kIac ? 2 : 1, c);
  send(code({kIac, kSb, kComPort, which + 100}) + doubled + code({kIac, kSe}));
}

void Rfc2217Server::send(std::string_view raw) {
  const std::size_t most = illness_.byte_by_byte ? 1 : raw.size();
  while (!raw.empty() && client_) {
    const auto n = ::send(client_.get(), raw.data(), std::min(most, raw.size()), MSG_NOSIGNAL);
    if (n <= 0) return;
    raw.remove_prefix(static_cast<std::size_t>(n));
  }
}

void Rfc2217Server::says(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, 20s, [&] { return client_ && ready_; })) throw std::runtime_error("no client has come");
  std::string wire;
  for (const char c : bytes) wire.append(static_cast<unsigned char>(c) == kIac && !illness_.no_telnet ? 2 : 1, c);
  send(wire);
}

void Rfc2217Server::sends(std::string_view raw) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, 20s, [&] { return static_cast<bool>(client_); })) throw std::runtime_error("no client has come");
  send(raw);
}

std::string Rfc2217Server::hears(std::size_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, 20s, [&] { return heard_.size() >= bytes; });
  auto text = heard_.substr(0, bytes);
  heard_.erase(0, bytes);
  return text;
}

std::optional<std::string> Rfc2217Server::asked(int command, int control) {
  std::unique_lock lock(mutex_);
  const std::pair key{command, control};
  if (!changed_.wait_for(lock, 20s, [&] { return asked_.contains(key); })) return std::nullopt;
  return asked_.at(key);
}

int Rfc2217Server::breaks() const {
  const std::scoped_lock lock(mutex_);
  return breaks_;
}

void Rfc2217Server::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void Rfc2217Server::hang_up() {
  const std::scoped_lock lock(mutex_);
  drop_client();
}

void Rfc2217Server::drop_client() {
  if (client_) ::shutdown(client_.get(), SHUT_RDWR);
  client_.reset();
  ready_ = false;
  wake();
}

void Rfc2217Server::go() {
  const std::scoped_lock lock(mutex_);
  listener_.reset();
  drop_client();
}

void Rfc2217Server::come_back() {
  const std::scoped_lock lock(mutex_);
  listen();
  wake();
}

}  // namespace hilcop
