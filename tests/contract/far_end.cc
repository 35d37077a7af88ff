// SPDX-License-Identifier: Apache-2.0
#include "contract/far_end.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "base/clock.h"

namespace hilcop {
namespace {

constexpr std::chrono::milliseconds kLate{500};
constexpr std::string_view kGarbage = "\x00\xfe\x80garbage\xff\xff\x01{]<>\r\n\r\n%%\x7f";

UniqueFd listen_on_loopback(int& port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd.get(), 16) != 0)
    throw std::runtime_error("no listening socket on loopback");
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

FarEnd::FarEnd(std::unique_ptr<Protocol> protocol, Over over)
    : protocol_(std::move(protocol)), over_(over), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (over == Over::Tcp) listener_ = listen_on_loopback(port_);
  if (over == Over::Serial) plug_in();
  thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

FarEnd::~FarEnd() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void FarEnd::plug_in() {
  pty_ = std::make_unique<PtyPort>();
  peers_.push_back({UniqueFd(pty_->duplicate()), {}});
}

void FarEnd::behave(Behaviour behaviour) { behaviour_ = behaviour; }

bool FarEnd::answer(const Peer& peer, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto n = ::write(peer.fd.get(), bytes.data() + sent, bytes.size() - sent);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

bool FarEnd::wait_or_end(std::chrono::milliseconds span) {
  pollfd entry{wake_.get(), POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(span.count())) == 0;
}

// False: the peer is to be closed.
bool FarEnd::serve_peer(Peer& peer) {
  while (true) {
    const Behaviour behaviour = behaviour_;
    const bool acts = behaviour != Behaviour::Mute && behaviour != Behaviour::HangsUp;
    std::string held = peer.input;
    const bool judged_alone = behaviour == Behaviour::Refuses || behaviour == Behaviour::Lies;
    // Without effect: it is taken, and nothing comes of it.
    auto reply = protocol_->take(acts ? peer.input : held, judged_alone ? behaviour : acts ? Behaviour::Sound : Behaviour::Lies);
    if (!reply) return true;
    if (!acts) peer.input = held;
    if (behaviour == Behaviour::HangsUp) return false;
    if (behaviour == Behaviour::Mute || reply->empty()) continue;
    if (behaviour == Behaviour::Late && !wait_or_end(kLate)) return false;
    if (behaviour == Behaviour::Garbage) *reply = kGarbage;
    if (behaviour == Behaviour::Truncated) reply->resize(reply->size() / 2);
    if (!peer.input.empty()) ++overlaps_;
    if (!answer(peer, *reply)) return false;
  }
}

void FarEnd::serve(const std::stop_token& stop) {
  std::array<char, 4096> chunk;
  while (!stop.stop_requested()) {
    std::vector<pollfd> set{{wake_.get(), POLLIN, 0}};
    if (listener_) set.push_back({listener_.get(), POLLIN, 0});
    const auto first = set.size();
    for (const auto& peer : peers_) set.push_back({peer.fd.get(), POLLIN, 0});
    ::poll(set.data(), set.size(), -1);
    for (std::size_t i = peers_.size(); i-- > 0;) {
      if (set[first + i].revents == 0) continue;
      const auto n = ::read(peers_[i].fd.get(), chunk.data(), chunk.size());
      // A pty without anybody at its terminal says EIO: nobody has opened it yet, or again.
      if (n < 0 && over_ == Over::Serial) {
        wait_or_end(std::chrono::milliseconds(2));
        continue;
      }
      if (n > 0) peers_[i].input.append(chunk.data(), static_cast<std::size_t>(n));
      const bool stays = n > 0 && serve_peer(peers_[i]);
      if (stays) continue;
      peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i));
      if (over_ == Over::Serial) pty_->unplug();
    }
    if (listener_ && set[1].revents != 0) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      peers_.push_back({UniqueFd(fd), {}});
      if (!answer(peers_.back(), protocol_->greeting())) peers_.pop_back();
    }
  }
}

}  // namespace hilcop
