// SPDX-License-Identifier: Apache-2.0
#include "network/port/tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "base/error.h"

namespace hilcop {

UniqueFd make_tap(const std::string& name) {
  UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  const std::string object = "interface '" + name + "' of the bench network";
  if (!fd && errno == ENOENT)
    throw Error(ErrorKind::NotFound, object, "this host has no /dev/net/tun", "modprobe tun; in a container also --device /dev/net/tun");
  if (!fd) throw error_from_errno(errno, object, "cannot open /dev/net/tun");
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0) throw error_from_errno(errno, object, "cannot be made");
  return fd;
}

}  // namespace hilcop
