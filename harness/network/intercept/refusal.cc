// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/refusal.h"

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace hilcop {

namespace {

constexpr std::size_t kOfIpv4 = 28;    // of what came, that stands in the answer: its header without options, and 8 bytes (RFC 792)
constexpr std::size_t kOfIpv6 = 1000;  // as much as stays below the least MTU (RFC 4443 2.4)
constexpr std::uint8_t kHops = 64;

std::uint16_t checksum(const std::string& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]) << 8) +
           (i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0U);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

template <typename Head>
std::string bytes_of(const Head& head) {
  return {reinterpret_cast<const char*>(&head), sizeof head};
}

std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

std::string unreachable_ipv4(std::span<const std::byte> packet) {
  ip came{};
  if (packet.size() < kOfIpv4) return "";
  std::memcpy(&came, packet.data(), sizeof came);
  const std::size_t kept = std::min<std::size_t>(packet.size(), came.ip_hl * 4U + 8U);
  icmphdr head{};
  head.type = ICMP_DEST_UNREACH;
  head.code = ICMP_PORT_UNREACH;
  const auto quoted = text_of(packet.first(kept));
  head.checksum = checksum(bytes_of(head) + quoted);
  ip answer{};
  answer.ip_hl = sizeof answer / 4;
  answer.ip_v = 4;
  answer.ip_len = htons(static_cast<std::uint16_t>(sizeof answer + sizeof head + kept));
  answer.ip_ttl = kHops;
  answer.ip_p = IPPROTO_ICMP;
  answer.ip_src = came.ip_dst;
  answer.ip_dst = came.ip_src;
  answer.ip_sum = checksum(bytes_of(answer));
  return bytes_of(answer) + bytes_of(head) + quoted;
}

std::string unreachable_ipv6(const in6_addr& client, const in6_addr& meant, std::span<const std::byte> udp) {
  icmp6_hdr head{};  // the kernel sums it up
  head.icmp6_type = ICMP6_DST_UNREACH;
  head.icmp6_code = ICMP6_DST_UNREACH_NOPORT;
  ip6_hdr came{};
  came.ip6_flow = htonl(6U << 28);
  came.ip6_plen = htons(static_cast<std::uint16_t>(udp.size()));
  came.ip6_nxt = IPPROTO_UDP;
  came.ip6_hops = kHops;
  came.ip6_src = client;
  came.ip6_dst = meant;
  return bytes_of(head) + bytes_of(came) + text_of(udp.first(std::min(udp.size(), kOfIpv6)));
}

void Refusal::tell_ipv4(std::span<const std::byte> packet) const {
  const auto answer = unreachable_ipv4(packet);
  if (answer.empty()) return;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  std::memcpy(&to.sin_addr, answer.data() + offsetof(ip, ip_dst), sizeof to.sin_addr);
  ::sendto(ipv4.get(), answer.data(), answer.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

void Refusal::tell_ipv6(const in6_addr& client, const in6_addr& meant, std::span<const std::byte> udp) const {
  auto answer = unreachable_ipv6(client, meant, udp);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_addr = client;
  in6_pktinfo from{};
  from.ipi6_addr = meant;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof from)> beside{};
  iovec part{answer.data(), answer.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = beside.data();
  message.msg_controllen = beside.size();
  auto* const info = CMSG_FIRSTHDR(&message);
  info->cmsg_level = IPPROTO_IPV6;
  info->cmsg_type = IPV6_PKTINFO;
  info->cmsg_len = CMSG_LEN(sizeof from);
  std::memcpy(CMSG_DATA(info), &from, sizeof from);
  ::sendmsg(ipv6.get(), &message, MSG_DONTWAIT);
}

}  // namespace hilcop
