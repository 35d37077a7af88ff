// SPDX-License-Identifier: Apache-2.0
#include "network/port/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace hilcop {

namespace {

Error about(const std::string& interface, int why, const std::string& what) {
  if (why == EPERM || why == EACCES)
    return {ErrorKind::PermissionDenied, "interface '" + interface + "'", what + ": not permitted",
            "it needs CAP_NET_RAW over this network"};
  return error_from_errno(why, "interface '" + interface + "'", what);
}

sockaddr_ll port_address(const std::string& interface) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0)
    throw Error(ErrorKind::NotFound, "interface '" + interface + "'", "is not in the bench's network", "see whether it was unplugged");
  return address;
}

}  // namespace

UniqueFd make_packet_socket(const std::string& interface) {
  UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw about(interface, errno, "cannot be listened to");
  packet_mreq all{};
  all.mr_ifindex = port_address(interface).sll_ifindex;
  all.mr_type = PACKET_MR_PROMISC;
  if (::setsockopt(fd.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0)
    throw about(interface, errno, "cannot be listened to");
  return fd;
}

void bind_to_port(int socket, const std::string& interface) {
  const auto address = port_address(interface);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw about(interface, errno, "cannot be listened to");
}

RingMemory::RingMemory(int socket, int version, const void* request, std::size_t request_size, std::size_t bytes,
                       const std::string& interface)
    : bytes_(bytes) {
  if (::setsockopt(socket, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
      ::setsockopt(socket, SOL_PACKET, PACKET_RX_RING, request, static_cast<socklen_t>(request_size)) != 0)
    throw about(interface, errno, "no memory for its packets");
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, socket, 0);
  if (memory == MAP_FAILED) throw about(interface, errno, "no memory for its packets");
  data_ = static_cast<std::byte*>(memory);
}

RingMemory::~RingMemory() { ::munmap(data_, bytes_); }

std::span<const std::byte> with_vlan_tag(std::span<const std::byte> frame, std::uint16_t protocol, std::uint16_t tag,
                                         std::span<std::byte> out) {
  constexpr std::size_t kAddresses = 12;
  if (frame.size() < kAddresses) return frame;
  const std::uint16_t shown = protocol == 0 ? std::uint16_t{ETH_P_8021Q} : protocol;
  auto at = std::copy_n(frame.begin(), kAddresses, out.begin());
  for (const std::uint16_t number : {shown, tag}) {
    *at++ = static_cast<std::byte>(number >> 8);
    *at++ = static_cast<std::byte>(number & 0xff);
  }
  std::copy(frame.begin() + kAddresses, frame.end(), at);
  return out.first(frame.size() + 4);
}

}  // namespace hilcop
