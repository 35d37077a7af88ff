// SPDX-License-Identifier: Apache-2.0
#include "network/port/carrier_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error.h"

namespace hilcop {

namespace {

// What it says is not read, but asked for: of a socket that has overrun nothing is missed then.
UniqueFd link_news(const std::string& interface) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw error_from_errno(errno, "interface '" + interface + "'", "cannot be watched");
  return fd;
}

}  // namespace

CarrierWatch::CarrierWatch(std::string interface, std::function<void(Carrier)> on_change)
    : interface_(std::move(interface)),
      on_change_(std::move(on_change)),
      news_(link_news(interface_)),
      last_(look()),
      thread_("interface '" + interface_ + "'") {
  on_change_(last_);
  thread_.start([this] { run(); });
}

Carrier CarrierWatch::look() {
  const auto carrier = links_.has_carrier(interface_);
  return !carrier ? Carrier::Gone : *carrier ? Carrier::There : Carrier::None;
}

void CarrierWatch::run() {
  std::array<char, 16384> said;
  for (;;) {
    pollfd ready[] = {{news_.get(), POLLIN, 0}, {thread_.end_fd(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    while (::recv(news_.get(), said.data(), said.size(), 0) > 0 || errno == ENOBUFS) errno = 0;
    if (const auto now = look(); now != std::exchange(last_, now)) on_change_(now);
  }
}

}  // namespace hilcop
