// SPDX-License-Identifier: Apache-2.0
#include "io/netlink.h"

#include <net/if.h>

#include "base/error.h"

namespace hilcop::netlink {

void require(int code, const std::string& object, const std::string& what) {
  if (code >= 0) return;
  const bool denied = code == -NLE_PERM || code == -NLE_NOACCESS;
  throw Error(denied              ? ErrorKind::PermissionDenied
              : code == -NLE_BUSY ? ErrorKind::Busy
                                  : ErrorKind::Protocol,
              object, what + ": " + nl_geterror(code), denied ? "it needs CAP_NET_ADMIN over this network" : "");
}

Socket connected() {
  Socket socket(nl_socket_alloc());
  require(socket ? nl_connect(socket.get(), NETLINK_ROUTE) : -NLE_NOMEM, "bench network", "the kernel cannot be asked");
  return socket;
}

Net parsed(const std::string& address, int family, const std::string& object) {
  nl_addr* made = nullptr;
  require(nl_addr_parse(address.c_str(), family, &made), object, "'" + address + "' is no address");
  return Net(made);
}

int index_of(const std::string& interface) {
  const auto number = ::if_nametoindex(interface.c_str());
  if (number == 0) throw Error(ErrorKind::NotFound, "interface '" + interface + "'", "is not there", "see whether it was unplugged");
  return static_cast<int>(number);
}

}  // namespace hilcop::netlink
