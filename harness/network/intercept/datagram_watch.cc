// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/datagram_watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"

namespace hilcop {

namespace {

constexpr int kInARow = 64;  // of one ear, before the other is looked at

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address, text.data(), text.size()) == nullptr ? "" : text.data();
}

struct Heard {
  TcpAddress client, aimed_at;
  std::span<const std::byte> packet, udp;  // from the IP header on, where it came with one; from its header on
  in6_addr from{}, to{};                   // of IPv6
};

// raw(7): the datagram with its IP header.
std::optional<Heard> of_ipv4(std::span<const std::byte> bytes) {
  ip head{};
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::size_t size = head.ip_hl * 4U;
  if (size < sizeof head || bytes.size() < size) return std::nullopt;
  return Heard{{text_of(AF_INET, &head.ip_src), 0}, {text_of(AF_INET, &head.ip_dst), 0}, bytes, bytes.subspan(size)};
}

// ipv6(7): without its IP header; where it was sent to is told beside it.
std::optional<Heard> of_ipv6(std::span<const std::byte> bytes, const sockaddr_in6& from, msghdr& message) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != IPPROTO_IPV6 || part->cmsg_type != IPV6_PKTINFO) continue;
    in6_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(part), sizeof info);
    return Heard{
        {text_of(AF_INET6, &from.sin6_addr), 0}, {text_of(AF_INET6, &info.ipi6_addr), 0}, {}, bytes, from.sin6_addr, info.ipi6_addr};
  }
  return std::nullopt;
}

// What this socket has lost for want of room since it was made (socket(7), SO_RXQ_OVFL); told once there is some.
std::optional<std::uint32_t> overrun(msghdr& message) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL) continue;
    std::uint32_t lost = 0;
    std::memcpy(&lost, CMSG_DATA(part), sizeof lost);
    return lost;
  }
  return std::nullopt;
}

}  // namespace

DatagramWatch::DatagramWatch(std::vector<UniqueFd> ears, Refusal refusal, std::function<void(const SeenDatagram&)> on_seen)
    : ears_(std::move(ears)), refusal_(std::move(refusal)), on_seen_(std::move(on_seen)), thread_("QUIC and DTLS of the bench network") {
  thread_.start([this] { run(); });
}

void DatagramWatch::hear(std::size_t ear) {
  std::array<std::byte, 65536> bytes;
  std::array<char, 256> beside;
  for (int i = 0; i < kInARow; ++i) {
    sockaddr_in6 from{};
    iovec into{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = beside.data();
    message.msg_controllen = beside.size();
    const auto size = ::recvmsg(ears_[ear].get(), &message, 0);
    if (size < 0) return;
    if (const auto lost = overrun(message)) lost_[ear] = *lost;
    const Moment at{real_clock().now(), real_clock().utc_now()};
    const auto whole = std::span(bytes).first(static_cast<std::size_t>(size));
    auto heard = from.sin6_family == AF_INET6 ? of_ipv6(whole, from, message) : of_ipv4(whole);
    udphdr head{};
    if (!heard || heard->udp.size() < sizeof head) continue;
    std::memcpy(&head, heard->udp.data(), sizeof head);
    auto hello = parse_datagram_hello(heard->udp.subspan(sizeof head));
    if (!hello) continue;
    heard->client.port = ntohs(head.source);
    heard->aimed_at.port = ntohs(head.dest);
    if (heard->aimed_at.port != refusal_.silent_port) {
      if (heard->packet.empty())
        refusal_.tell_ipv6(heard->from, heard->to, heard->udp);
      else
        refusal_.tell_ipv4(heard->packet);
    }
    ++(hello->kind == DatagramHello::Kind::Quic ? quic_ : dtls_);
    on_seen_({at, heard->client, heard->aimed_at, std::move(*hello)});
  }
}

void DatagramWatch::run() {
  for (;;) {
    std::vector<pollfd> ready{{thread_.end_fd(), POLLIN, 0}};
    for (const auto& ear : ears_) ready.push_back({ear.get(), POLLIN, 0});
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
    if (ready[0].revents != 0) return;
    for (std::size_t i = 1; i < ready.size(); ++i)
      if (ready[i].revents != 0) hear(i - 1);
  }
}

}  // namespace hilcop
