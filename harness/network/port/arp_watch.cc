// SPDX-License-Identifier: Apache-2.0
#include "network/port/arp_watch.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {

namespace {

UniqueFd arp_socket(const std::string& interface) {
  UniqueFd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP)));
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(ETH_P_ARP);
  at.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  const int on = 1;
  if (!fd || ::setsockopt(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
      ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    throw error_from_errno(errno, "interface '" + interface + "'", "its ARP cannot be heard");
  return fd;
}

}  // namespace

ArpWatch::ArpWatch(const std::string& interface, std::function<void(const std::string& address, const std::string& mac)> on_claim)
    : on_claim_(std::move(on_claim)), socket_(arp_socket(interface)), thread_("ARP of interface '" + interface + "'") {
  thread_.start([this] { run(); });
}

void ArpWatch::run() {
  for (;;) {
    pollfd ready[] = {{socket_.get(), POLLIN, 0}, {thread_.end_fd(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    ether_arp said{};
    if (::recv(socket_.get(), &said, sizeof said, 0) != sizeof said) continue;  // padding is cut off; what is shorter is none
    if (said.arp_hrd != htons(ARPHRD_ETHER) || said.arp_pro != htons(ETH_P_IP)) continue;
    std::array<char, INET_ADDRSTRLEN> address{};
    ::inet_ntop(AF_INET, said.arp_spa, address.data(), address.size());
    const auto* mac = said.arp_sha;
    on_claim_(address.data(), fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]));
  }
}

}  // namespace hilcop
