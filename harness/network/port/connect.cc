// SPDX-License-Identifier: Apache-2.0
#include "network/port/connect.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "base/interrupt.h"
#include "network/port/socket_address.h"

namespace hilcop {

namespace {

Error failed(const std::string& object, int why) {
  if (why == ECONNREFUSED) return {ErrorKind::Disconnected, object, "nobody listens there", "see whether the device's service runs"};
  if (why == EHOSTUNREACH || why == ENETUNREACH)
    return {ErrorKind::NotFound, object, "there is no way there", "see whether the device has power, a link and that address"};
  // What ICMP says of the device (RFC 792, RFC 1812 5.2.7.1) is the device's word, not this host's.
  if (why == EHOSTDOWN || why == EACCES || why == EPROTO || why == ENOPROTOOPT || why == ENONET)
    return {ErrorKind::NotFound, object, "somebody on the way says that there is no way there",
            "see whether the device lets nobody in there"};
  if (why == ETIMEDOUT) return {ErrorKind::Timeout, object, "nothing answers", "see whether the device has power and a link"};
  return error_from_errno(why, object, "cannot be connected to");
}

}  // namespace

UniqueFd connect_tcp(const std::string& address, int port, const std::string& interface, Deadline deadline) {
  const auto target = socket_address(address, port, interface);
  const std::string object = address + " port " + std::to_string(port) + " of the bench network";
  UniqueFd fd(::socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw error_from_errno(errno, object, "no socket");
  if (::connect(fd.get(), target.get(), target.size) != 0) {
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
