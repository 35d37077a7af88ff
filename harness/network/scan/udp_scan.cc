// SPDX-License-Identifier: Apache-2.0
#include "network/scan/udp_scan.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "network/port/socket_address.h"
#include "network/scan/ready_set.h"

namespace hilcop {

namespace {

constexpr Nanoseconds kBetween = 100ms;

/// One question, and whatever comes back.
class UdpProbe {
 public:
  UdpProbe(const SocketAddress& target, const UdpPayload& payload, UdpPort& port)
      : target_(with_port(target, payload.port)), payload_(payload), port_(port) {
    const bool v6 = target.family() == AF_INET6;
    socket_.reset(::socket(target.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) throw error_from_errno(errno, "UDP scan of " + address_text(target), "no socket");
    // Not connected, for an answer may come from another port; what ICMP says of it comes over the queue of errors then (ip(7)).
    const int on = 1;
    ::setsockopt(socket_.get(), v6 ? static_cast<int>(IPPROTO_IPV6) : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
  }
  int fd() const { return socket_.get(); }
  bool done() const { return port_.state != UdpState::Silent; }
  /// Whether a question did not leave this host, or nobody was there: what is silent then was not asked.
  bool unreachable() const { return unreachable_; }
  void send() {
    for (int time = 0; time < 2; ++time) {
      if (::sendto(socket_.get(), payload_.bytes.data(), payload_.bytes.size(), 0, target_.get(), target_.size) >= 0) return;
      take();  // what came of an earlier one is told to the next call
    }
    unreachable_ = true;
  }

  void take() {
    std::array<char, 65536> bytes{};
    for (;;) {
      SocketAddress from;
      from.size = sizeof from.storage;
      const auto size = ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from.storage), &from.size);
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (size < 0) {
        if (take_error()) continue;
        break;
      }
      if (address_text(from) != address_text(target_)) continue;  // of somebody else
      port_.state = UdpState::Answered;
      port_.from_port = port_of(from);
      port_.size = static_cast<std::size_t>(size);
      port_.answer.assign(bytes.data(), std::min(port_.size, UdpPort::kMostKept));
    }
    while (take_error()) {
    }
  }

 private:
  bool take_error() {
    std::array<char, 512> control{};
    std::array<char, 2048> bytes{};
    iovec vector{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(socket_.get(), &message, MSG_ERRQUEUE) < 0) return false;
    for (auto* head = CMSG_FIRSTHDR(&message); head != nullptr; head = CMSG_NXTHDR(&message, head)) {
      const bool about_errors = (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_RECVERR) ||
                                (head->cmsg_level == IPPROTO_IPV6 && head->cmsg_type == IPV6_RECVERR);
      if (!about_errors) continue;
      const auto& error = *reinterpret_cast<const sock_extended_err*>(CMSG_DATA(head));
      SocketAddress who;
      who.size = static_cast<socklen_t>(target_.family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
      std::memcpy(&who.storage, SO_EE_OFFENDER(&error), who.size);
      const bool itself = address_text(who) == address_text(target_);
      // A port that is unreachable, as the device itself says; an answer that came before is more.
      if (itself && error.ee_errno == ECONNREFUSED && port_.state == UdpState::Silent) port_.state = UdpState::Closed;
      // Nobody answers ARP or neighbour discovery: this host says so.
      if (!itself && (error.ee_errno == EHOSTUNREACH || error.ee_errno == ENETUNREACH || error.ee_errno == EHOSTDOWN)) unreachable_ = true;
    }
    return true;
  }

  SocketAddress target_;
  const UdpPayload& payload_;
  UdpPort& port_;
  UniqueFd socket_;
  bool unreachable_ = false;
};

void collect(ReadySet& ready, SteadyTime until) {
  while (real_clock().now() < until) {
    ready.wait(until);
    for (auto* const who : ready.take()) static_cast<UdpProbe*>(who)->take();
    if (interrupt_requested()) throw Interrupted();
  }
}

}  // namespace

const char* name_of(UdpState state) {
  switch (state) {
    case UdpState::Answered:
      return "answered";
    case UdpState::Closed:
      return "closed";
    case UdpState::Silent:
      return "silent";
  }
  return "";
}

UdpScanResult scan_udp(const UdpScanOptions& options, Deadline deadline) {
  const auto senseless = [](const std::string& cause, const std::string& remedy) {
    return Error(ErrorKind::Config, "UDP scan", cause, remedy);
  };
  if (options.payloads.empty() || options.payloads.size() > 1000) throw senseless("has no payloads, or too many", "give 1 to 1000");
  if (options.tries < 1 || options.tries > 10) throw senseless("its tries are out of their range", "give 1 to 10");
  if (options.answer_within < 10ms || options.answer_within > 30s) throw senseless("it waits too short or too long", "give 0.01 to 30 s");
  for (const auto& payload : options.payloads)
    if (payload.port < 1 || payload.port > 65535 || payload.bytes.empty() || payload.bytes.size() > 1400)
      throw senseless("payload '" + payload.service + "' makes no sense", "give a port of 1 to 65535 and 1 to 1400 bytes");

  const auto target = socket_address(options.address, 0, options.interface);
  UdpScanResult result;
  result.ports.reserve(options.payloads.size());
  ReadySet ready;
  ready.add(interrupt_fd(), EPOLLIN, nullptr);
  std::vector<std::unique_ptr<UdpProbe>> probes;
  for (const auto& payload : options.payloads) {
    auto& port = result.ports.emplace_back();
    port.service = payload.service;
    port.port = payload.port;
    probes.push_back(std::make_unique<UdpProbe>(target, payload, port));
    ready.add(probes.back()->fd(), EPOLLIN, probes.back().get());
  }
  const auto open = [&] { return std::ranges::any_of(probes, [](const auto& probe) { return !probe->done(); }); };
  for (int time = 0; time < options.tries && open(); ++time) {
    for (const auto& probe : probes) {
      if (deadline.expired()) return result;
      if (probe->done()) continue;
      probe->send();
      collect(ready, deadline.at_most(kBetween).at());
    }
    for (const auto last = deadline.at_most(options.answer_within); open() && !last.expired();) collect(ready, last.at_most(kBetween).at());
  }
  const bool reached = std::ranges::none_of(probes, [](const auto& probe) { return !probe->done() && probe->unreachable(); });
  result.complete = reached && (!deadline.expired() || !open());
  return result;
}

}  // namespace hilcop
