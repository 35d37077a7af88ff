// SPDX-License-Identifier: Apache-2.0
#include "network/services/udp_socket.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hilcop::services {
namespace {

// An error of one datagram (ICMP, an interface that went down) is told once and is over; one that stays is the socket's.
constexpr int kMostErrors = 100;

// What a datagram was sent to (ip(7), ipv6(7)).
void read_destination(msghdr& head, Datagram& datagram) {
  for (auto* part = CMSG_FIRSTHDR(&head); part != nullptr; part = CMSG_NXTHDR(&head, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      datagram.family = AF_INET;
      datagram.local.address = IpAddress::v4(ntohl(info.ipi_addr.s_addr));
      // Not the destination of a broadcast, but this host's own address.
      std::memcpy(datagram.source.data(), &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
    }
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      // Who asked a group is answered from an address that the kernel chooses.
      datagram.family = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr) ? AF_UNSPEC : AF_INET6;
      if (const auto found = IpAddress::of_bytes({reinterpret_cast<const char*>(&info.ipi6_addr), 16})) datagram.local.address = *found;
      std::memcpy(datagram.source.data(), &info.ipi6_addr, sizeof info.ipi6_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) datagram.interface = static_cast<int>(info.ipi6_ifindex);
    }
  }
}

template <class Info>
void add_source(msghdr& head, char* space, int level, int type, const Info& info) {
  head.msg_control = space;
  head.msg_controllen = CMSG_SPACE(sizeof info);
  auto* part = CMSG_FIRSTHDR(&head);
  part->cmsg_level = level;
  part->cmsg_type = type;
  part->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(part), &info, sizeof info);
}

}  // namespace

void adopt_socket(int fd, int type, const std::string& object) {
  int found = 0;
  socklen_t size = sizeof found;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &found, &size) != 0 || found != type)
    throw Error(ErrorKind::Config, object, std::string("was given what is no socket of ") + (type == SOCK_DGRAM ? "UDP" : "TCP"),
                "hand it a bound one");
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

UdpSocket::UdpSocket(UniqueFd fd, std::string object) : object_(std::move(object)), fd_(std::move(fd)), buffer_(65536, '\0') {
  adopt_socket(fd_.get(), SOCK_DGRAM, object_);
  bound_ = local_endpoint(fd_.get(), object_);
  const int on = 1;
  const bool v4 = ::setsockopt(fd_.get(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
  const bool v6 = ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
  if (!v4 && !v6) throw error_from_errno(errno, object_, "ask for the address that datagrams were sent to");
}

std::optional<Datagram> UdpSocket::receive() {
  while (!failure_) {
    Datagram datagram;
    iovec into{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) char control[256];
    msghdr head{};
    head.msg_name = &datagram.from;
    head.msg_namelen = sizeof datagram.from;
    head.msg_iov = &into;
    head.msg_iovlen = 1;
    head.msg_control = control;
    head.msg_controllen = sizeof control;
    const auto n = ::recvmsg(fd_.get(), &head, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (n < 0) {
      if (++errors_ >= kMostErrors || errno == EBADF || errno == ENOTSOCK)
        failure_ = error_from_errno(errno, object_, "receives nothing any more");
      continue;
    }
    errors_ = 0;
    datagram.from_size = head.msg_namelen;
    datagram.client = Endpoint::of(datagram.from);
    datagram.local = bound_;
    read_destination(head, datagram);
    datagram.bytes = std::string_view(buffer_).substr(0, static_cast<std::size_t>(n));
    return datagram;
  }
  return std::nullopt;
}

int UdpSocket::send(const Datagram& to, std::string_view bytes) {
  iovec from{const_cast<char*>(bytes.data()), bytes.size()};
  auto address = to.from;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in6_pktinfo))] = {};
  msghdr head{};
  head.msg_name = &address;
  head.msg_namelen = to.from_size;
  head.msg_iov = &from;
  head.msg_iovlen = 1;
  if (to.family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, to.source.data(), sizeof info.ipi_spec_dst);
    add_source(head, control, IPPROTO_IP, IP_PKTINFO, info);
  } else if (to.family == AF_INET6) {
    in6_pktinfo info{};
    std::memcpy(&info.ipi6_addr, to.source.data(), sizeof info.ipi6_addr);
    info.ipi6_ifindex = static_cast<unsigned>(to.interface);
    add_source(head, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  for (;;) {
    if (::sendmsg(fd_.get(), &head, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

}  // namespace hilcop::services
