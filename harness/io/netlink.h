// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>

#include <string>

#include "base/owned.h"

/// What Links and Routes ask the kernel with: rtnetlink(7) by libnl.
namespace hilcop::netlink {

using Socket = Owned<nl_sock, nl_socket_free>;
using Link = Owned<rtnl_link, rtnl_link_put>;
using Address = Owned<rtnl_addr, rtnl_addr_put>;
using Net = Owned<nl_addr, nl_addr_put>;
using Route = Owned<rtnl_route, rtnl_route_put>;
using Rule = Owned<rtnl_rule, rtnl_rule_put>;
using Message = Owned<nl_msg, nlmsg_free>;

/// Throws Error on `object` for a code of libnl's that is no success.
void require(int code, const std::string& object, const std::string& what);
/// To the network namespace that this thread is in. Throws Error.
Socket connected();
/// "10.77.0.1/24", "default". Throws Error on `object`.
Net parsed(const std::string& address, int family, const std::string& object);
/// Throws Error{NotFound}.
int index_of(const std::string& interface);

}  // namespace hilcop::netlink
