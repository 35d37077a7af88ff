// SPDX-License-Identifier: Apache-2.0
#include "network/port/connect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "base/interrupt.h"

namespace hilcop {

namespace {

struct Target {
  sockaddr_storage address{};
  socklen_t size = 0;
};

Target target_at(const std::string& address, int port, const std::string& interface) {
  Target target;
  const auto number = htons(static_cast<std::uint16_t>(port));
  auto& v4 = reinterpret_cast<sockaddr_in&>(target.address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(target.address);
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = number;
    target.size = sizeof v4;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = number;
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr)) v6.sin6_scope_id = ::if_nametoindex(interface.c_str());
    target.size = sizeof v6;
  } else {
    throw Error(ErrorKind::Config, "bench network", "'" + address + "' is no address of IPv4 or IPv6",
                "give the device's own (network.dhcp)");
  }
  return target;
}

Error failed(const std::string& object, int why) {
  if (why == ECONNREFUSED) return {ErrorKind::Disconnected, object, "nobody listens there", "see whether the device's service runs"};
  if (why == EHOSTUNREACH || why == ENETUNREACH)
    return {ErrorKind::NotFound, object, "there is no way there", "see whether the device has power, a link and that address"};
  if (why == ETIMEDOUT) return {ErrorKind::Timeout, object, "nothing answers", "see whether the device has power and a link"};
  return error_from_errno(why, object, "cannot be connected to");
}

}  // namespace

UniqueFd connect_tcp(const std::string& address, int port, const std::string& interface, Deadline deadline) {
  const auto target = target_at(address, port, interface);
  const std::string object = address + " port " + std::to_string(port) + " of the bench network";
  UniqueFd fd(::socket(target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw error_from_errno(errno, object, "no socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target.address), target.size) != 0) {
    if (errno != EINPROGRESS) throw failed(object, errno);
    if (!wait_ready(fd.get(), POLLOUT, deadline)) throw failed(object, ETIMEDOUT);
    int why = 0;
    socklen_t size = sizeof why;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &why, &size);
    if (why != 0) throw failed(object, why);
  }
  ::fcntl(fd.get(), F_SETFL, 0);
  return fd;
}

}  // namespace hilcop
