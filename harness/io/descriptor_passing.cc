// SPDX-License-Identifier: Apache-2.0
#include "io/descriptor_passing.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"

namespace hilcop {

namespace {

constexpr const char* kPeer = "process at the other end of a socket";

union Control {
  cmsghdr aligned;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

}  // namespace

void send_descriptor(int socket, std::uint64_t number, int descriptor, Deadline deadline) {
  Control control{};
  iovec text{&number, sizeof number};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  auto* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  while (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw Error(ErrorKind::Disconnected, kPeer, "takes no descriptor: " + error_from_errno(errno, "", "").cause());
    if (!wait_ready(socket, POLLOUT, deadline)) throw Error(ErrorKind::Timeout, kPeer, "took no descriptor in time");
  }
}

std::optional<PassedDescriptor> receive_descriptor(int socket, Deadline deadline) {
  PassedDescriptor passed;
  Control control{};
  iovec text{&passed.number, sizeof passed.number};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t size = 0;
  while ((size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT)) < 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) throw Error(ErrorKind::Disconnected, kPeer, "gives no descriptor");
    if (!wait_ready(socket, POLLIN, deadline)) return std::nullopt;
  }
  if (size == 0) throw Error(ErrorKind::Disconnected, kPeer, "has closed");
  const auto* head = CMSG_FIRSTHDR(&message);
  int descriptor = -1;
  if (head != nullptr && head->cmsg_type == SCM_RIGHTS) std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
  passed.fd.reset(descriptor);
  if (size != sizeof passed.number || !passed.fd) throw Error(ErrorKind::Protocol, kPeer, "sent what is no descriptor");
  return passed;
}

}  // namespace hilcop
