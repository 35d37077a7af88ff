// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_socket.h"

#include <fcntl.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hilcop {
namespace {

constexpr Ipv4 kDhcpBroadcast{0xffffffff};
constexpr std::uint16_t kDhcpClientPort = 68;
// An error of one datagram is told once and is over; one that stays is the socket's.
constexpr int kMostDhcpErrors = 100;

sockaddr_in dhcp_client_at(Ipv4 address) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(kDhcpClientPort);
  made.sin_addr.s_addr = htonl(address.value);
  return made;
}

}  // namespace

DhcpSocket::DhcpSocket(UniqueFd socket, const std::string& object) : object_(object), buffer_(kMost, '\0'), socket_(std::move(socket)) {
  int type = 0, family = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 || ::getsockopt(fd(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 ||
      type != SOCK_DGRAM || family != AF_INET)
    throw Error(ErrorKind::Config, object_, "was given what is no UDP socket of IPv4", "hand it a bound one");
  ::fcntl(fd(), F_SETFD, FD_CLOEXEC);
  ::fcntl(fd(), F_SETFL, ::fcntl(fd(), F_GETFL) | O_NONBLOCK);
  const int on = 1;
  for (const auto& [level, option] :
       {std::pair(SOL_SOCKET, SO_BROADCAST), std::pair(SOL_SOCKET, SO_RXQ_OVFL), std::pair<int, int>(IPPROTO_IP, IP_PKTINFO)})
    if (::setsockopt(fd(), level, option, &on, sizeof on) != 0) throw error_from_errno(errno, object_, "cannot set up its socket");
  char name[IFNAMSIZ] = {};
  size = sizeof name;
  if (::getsockopt(fd(), SOL_SOCKET, SO_BINDTODEVICE, name, &size) == 0) interface_.assign(name, ::strnlen(name, sizeof name));
}

std::optional<DhcpDatagram> DhcpSocket::receive() {
  while (!failure_) {
    sockaddr_in from{};
    iovec into{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) char control[256];
    msghdr head{};
    head.msg_name = &from;
    head.msg_namelen = sizeof from;
    head.msg_iov = &into;
    head.msg_iovlen = 1;
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    const auto n = ::recvmsg(fd(), &head, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (n < 0) {
      if (++errors_ >= kMostDhcpErrors || errno == EBADF || errno == ENOTSOCK)
        failure_ = error_from_errno(errno, object_, "receives nothing any more");
      continue;
    }
    errors_ = 0;
    DhcpDatagram datagram;
    datagram.size = static_cast<std::size_t>(n);
    datagram.bytes = std::string_view(buffer_).substr(0, datagram.size);
    datagram.source = {ntohl(from.sin_addr.s_addr)};
    for (auto* part = CMSG_FIRSTHDR(&head); part != nullptr; part = CMSG_NXTHDR(&head, part)) {
      if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
        in_pktinfo info;
        std::memcpy(&info, CMSG_DATA(part), sizeof info);
        // For a broadcast the kernel tells this host's own address beside it: ip(7).
        if (info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr) datagram.sent_to = Ipv4{ntohl(info.ipi_addr.s_addr)};
      }
      if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) std::memcpy(&lost_, CMSG_DATA(part), sizeof lost_);
    }
    return datagram;
  }
  return std::nullopt;
}

bool DhcpSocket::enter_in_arp(const DhcpDestination& to) const {
  if (interface_.empty() || to.hardware.size() != 6) return false;
  arpreq entry{};
  const auto address = dhcp_client_at(to.address);
  std::memcpy(&entry.arp_pa, &address, sizeof address);
  entry.arp_ha.sa_family = ARPHRD_ETHER;
  std::memcpy(entry.arp_ha.sa_data, to.hardware.data(), to.hardware.size());
  entry.arp_flags = ATF_COM;
  std::memcpy(entry.arp_dev, interface_.data(), interface_.size());
  return ::ioctl(fd(), SIOCSARP, &entry) == 0;
}

DhcpSent DhcpSocket::send(std::string_view packet, const DhcpDestination& to) {
  const bool broadcast = to.address == kDhcpBroadcast || (!to.hardware.empty() && !enter_in_arp(to));
  DhcpSent sent{broadcast ? "broadcast" : (to.hardware.empty() ? "address" : "hardware"), ""};
  const auto address = broadcast ? kDhcpBroadcast : to.address;
  int error = send_to(packet, address, to.from);
  // The server's identifier need not be an address of this host.
  if (error == EINVAL || error == EADDRNOTAVAIL) error = send_to(packet, address, {});
  // There is no route to a client of a subnet that this host is not in.
  if (error != 0 && !broadcast && send_to(packet, kDhcpBroadcast, {}) == 0) return {"broadcast", ""};
  if (error != 0) sent.failure = std::strerror(error);
  return sent;
}

int DhcpSocket::send_to(std::string_view packet, Ipv4 address, Ipv4 from) const {
  auto to = dhcp_client_at(address);
  iovec out{const_cast<char*>(packet.data()), packet.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
  msghdr head{};
  head.msg_name = &to;
  head.msg_namelen = sizeof to;
  head.msg_iov = &out;
  head.msg_iovlen = 1;
  if (from != Ipv4{}) {
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    auto* part = CMSG_FIRSTHDR(&head);
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_spec_dst.s_addr = htonl(from.value);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
  }
  for (;;) {
    if (::sendmsg(fd(), &head, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

}  // namespace hilcop
