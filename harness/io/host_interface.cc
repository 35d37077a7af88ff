// SPDX-License-Identifier: Apache-2.0
#include "io/host_interface.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/netlink.h"

namespace hilcop {

namespace {

constexpr Nanoseconds kLookEvery = std::chrono::milliseconds(20);  // whether it is back

std::vector<std::string> addresses_of(const std::string& name) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) throw error_from_errno(errno, "interface '" + name + "'", "its addresses are not told");
  const Owned<ifaddrs, freeifaddrs> owned(all);
  std::vector<std::string> found;
  for (const auto* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || name != one->ifa_name) continue;
    const bool v6 = one->ifa_addr->sa_family == AF_INET6;
    if (!v6 && one->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, NI_MAXHOST> text{};
    const socklen_t size = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (::getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) continue;
    const std::string address = text.data();
    if (!address.starts_with("fe80:")) found.push_back(address);
  }
  return found;
}

// A veth's IFLA_LINK is its other end; what stands on an interface of another namespace says so (IFLA_LINK_NETNSID).
std::vector<std::string> standing_on(int index, nl_sock* socket) {
  nl_cache* all = nullptr;
  netlink::require(rtnl_link_alloc_cache(socket, AF_UNSPEC, &all), "this host's interfaces", "are not told");
  const Owned<nl_cache, nl_cache_free> links(all);
  std::vector<std::string> found;
  for (auto* one = nl_cache_get_first(all); one != nullptr; one = nl_cache_get_next(one)) {
    auto* const link = reinterpret_cast<rtnl_link*>(one);
    const char* kind = rtnl_link_get_type(link);
    int elsewhere = 0;
    if (rtnl_link_get_link(link) != index || rtnl_link_get_link_netnsid(link, &elsewhere) == 0) continue;
    if (kind != nullptr && std::string_view(kind) == "veth") continue;
    found.emplace_back(rtnl_link_get_name(link));
  }
  return found;
}

// ethtool(8)'s ioctl. A value that the interface does not have is as good as off.
std::optional<std::uint32_t> asked(const std::string& name, std::uint32_t command) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{command, 0};
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (!socket || ::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return std::nullopt;
  return value.data;
}

bool told(const std::string& name, std::uint32_t command, std::uint32_t data) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{command, data};
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return socket && ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0;
}

bool merges_in_kernel(const std::string& name) { return asked(name, ETHTOOL_GGRO).value_or(0) != 0; }
bool merges_in_hardware(const std::string& name) { return (asked(name, ETHTOOL_GFLAGS).value_or(0) & ETH_FLAG_LRO) != 0; }
bool set_hardware_merging(const std::string& name, bool on) {
  const auto flags = asked(name, ETHTOOL_GFLAGS);
  return flags && told(name, ETHTOOL_SFLAGS, on ? *flags | ETH_FLAG_LRO : *flags & ~std::uint32_t{ETH_FLAG_LRO});
}

template <typename Change>
int change(nl_sock* socket, const std::string& name, Change&& with) {
  const netlink::Link before(rtnl_link_alloc()), after(rtnl_link_alloc());
  rtnl_link_set_ifindex(before.get(), netlink::index_of(name));
  with(after.get());
  return rtnl_link_change(socket, before.get(), after.get(), 0);
}

// In an interface's alias while it is lent: how it was before.
constexpr const char *kLent = "lent to a bench by hilcop; before:", *kAlias = "; alias: ";
constexpr std::size_t kMostAlias = 255;  // IFALIASZ without its end

std::string alias_of(const std::string& name) {
  const auto socket = netlink::connected();
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(socket.get(), 0, name.c_str(), &found) < 0) return "";
  const netlink::Link link(found);
  const char* alias = rtnl_link_get_ifalias(link.get());
  return alias == nullptr ? "" : alias;
}

Error not_moved(const std::string& object, int code) {
  if (code == -NLE_PERM || code == -NLE_NOACCESS)
    return {ErrorKind::PermissionDenied, object, "may not be moved into the bench's network",
            "run all of hilcop with sudo, or give the group's keeper AmbientCapabilities=CAP_NET_ADMIN (lab-config/README.md)"};
  return {ErrorKind::Protocol, object, std::string("cannot be moved into the bench's network: ") + nl_geterror(code),
          "see whether it is one that may leave this host (`ethtool -k`: netns-local)"};
}

}  // namespace

std::optional<HostInterface> host_interface(const std::string& name) {
  const auto socket = netlink::connected();
  rtnl_link* found = nullptr;
  if (rtnl_link_get_kernel(socket.get(), 0, name.c_str(), &found) < 0) return std::nullopt;
  const netlink::Link link(found);
  HostInterface interface;
  interface.name = name;
  std::array<char, 64> text{};
  if (auto* const address = rtnl_link_get_addr(link.get())) interface.mac = nl_addr2str(address, text.data(), text.size());
  if (const char* kind = rtnl_link_get_type(link.get())) interface.kind = kind;
  interface.addresses = addresses_of(name);
  const auto flags = rtnl_link_get_flags(link.get());
  interface.up = (flags & IFF_UP) != 0;
  interface.loopback = (flags & IFF_LOOPBACK) != 0;
  if (const int master = rtnl_link_get_master(link.get()); master > 0) {
    std::array<char, IF_NAMESIZE> of{};
    interface.master = ::if_indextoname(static_cast<unsigned>(master), of.data()) == nullptr ? "?" : of.data();
  }
  interface.above = standing_on(rtnl_link_get_ifindex(link.get()), socket.get());
  return interface;
}

bool same_mac(const std::string& one, const std::string& other) {
  const auto digits = [](const std::string& text) {
    std::string kept;
    for (const char c : text)
      if (std::isxdigit(static_cast<unsigned char>(c)) != 0) kept += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return kept;
  };
  return digits(one) == digits(other);
}

std::vector<std::string> host_interface_names() {
  std::vector<std::string> names;
  auto* const all = ::if_nameindex();
  for (auto* one = all; one != nullptr && one->if_index != 0; ++one) names.emplace_back(one->if_name);
  if (all != nullptr) ::if_freenameindex(all);
  return names;
}

LentInterface::LentInterface(std::string name, std::string mac, std::string object)
    : name_(std::move(name)), mac_(std::move(mac)), object_(std::move(object)) {
  if (auto left = noted(name_)) {
    before_ = std::move(*left);
    restore();
  }
}

std::string LentInterface::note_of(const Before& before) {
  const auto note = fmt::format("{}{}{}{}{}", kLent, before.up ? " up" : "", before.gro ? " gro" : "", before.lro ? " lro" : "", kAlias);
  return note.size() + before.alias.size() > kMostAlias ? note : note + before.alias;
}

std::optional<LentInterface::Before> LentInterface::noted(const std::string& name) {
  const auto alias = alias_of(name);
  const auto end = alias.find(kAlias);
  if (!alias.starts_with(kLent) || end == std::string::npos) return std::nullopt;
  const auto words = alias.substr(0, end) + " ";
  const auto has = [&](const char* word) { return words.find(word) != std::string::npos; };
  return Before{has(" up "), has(" gro "), has(" lro "), alias.substr(end + std::string_view(kAlias).size())};
}

bool LentInterface::lent() const { return lent_ && ::if_nametoindex(name_.c_str()) == 0; }

void LentInterface::lend(pid_t to, Deadline deadline) {
  if (lent()) throw Error(ErrorKind::Busy, object_, "is in a network of the bench's already", "take it back first");
  const auto found = host_interface(name_);
  if (!found)
    throw Error(ErrorKind::NotFound, object_, "this host has no interface '" + name_ + "'",
                fmt::format("plug it in, or choose one of: {}", fmt::join(host_interface_names(), ", ")));
  if (!mac_.empty() && !same_mac(found->mac, mac_))
    throw Error(ErrorKind::Config, object_, "has the MAC address " + found->mac + ", not " + mac_,
                "another adapter has its name now: see `ip link`");
  if (found->loopback) throw Error(ErrorKind::Config, object_, "is this host's loopback", "choose one that a device can be plugged into");
  if (!found->addresses.empty())
    throw Error(
        ErrorKind::Busy, object_, fmt::format("this host uses it: it has the address {}", fmt::join(found->addresses, ", ")),
        fmt::format("if nobody needs it: ip address flush dev {}; and see that nobody gives it one again: lab-config/README.md", name_));
  if (!found->master.empty())
    throw Error(ErrorKind::Busy, object_, "is a port of '" + found->master + "'", "ip link set " + name_ + " nomaster");
  if (!found->above.empty())
    throw Error(ErrorKind::Busy, object_,
                fmt::format("this host uses it: {} stand{} on it", fmt::join(found->above, ", "), found->above.size() == 1 ? "s" : ""),
                fmt::format("if nobody needs it: ip link delete {}", found->above.front()));
  if (deadline.expired()) throw Error(ErrorKind::Timeout, object_, "was not moved: the time for it is over", "give the call more time");
  const auto socket = netlink::connected();
  if (auto left = noted(name_))
    before_ = std::move(*left);
  else
    before_ = {found->up, merges_in_kernel(name_), merges_in_hardware(name_), alias_of(name_)};
  change(socket.get(), name_, [this](rtnl_link* link) { rtnl_link_set_ifalias(link, note_of(before_).c_str()); });
  told(name_, ETHTOOL_SGRO, 0);
  if (before_.lro) set_hardware_merging(name_, false);
  where_.reset(::open(fmt::format("/proc/{}/ns/net", to).c_str(), O_RDONLY | O_CLOEXEC));
  const int code = change(socket.get(), name_, [to](rtnl_link* link) { rtnl_link_set_ns_pid(link, to); });
  if (code < 0) {
    restore();
    throw not_moved(object_, code);
  }
  lent_ = true;
}

void LentInterface::take_back(Deadline deadline) {
  if (!lent_) return;
  const bool may_come = fetch();
  where_.reset();
  if (!may_come && ::if_nametoindex(name_.c_str()) == 0) {
    lent_ = false;
    throw Error(ErrorKind::Disconnected, object_, "has gone: it is neither here nor in the bench's network", "plug its adapter in again");
  }
  await_return(deadline);
  lent_ = false;
  restore();
}

// From inside: only there is it a link that can be changed. Not permitted (setns(2) needs CAP_SYS_ADMIN), the kernel brings it back when
// the namespace ends. False: it is not there.
bool LentInterface::fetch() {
  if (!where_) return true;
  const UniqueFd home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  bool there = true;
  std::thread([this, &home, &there] {
    if (::setns(where_.get(), CLONE_NEWNET) != 0) return;
    there = ::if_nametoindex(name_.c_str()) != 0;
    try {
      const auto socket = netlink::connected();
      if (there) change(socket.get(), name_, [&home](rtnl_link* link) { rtnl_link_set_ns_fd(link, home.get()); });
    } catch (const Error&) {
      return;  // whether it is back is seen
    }
  }).join();
  return there;
}

void LentInterface::await_return(Deadline deadline) const {
  while (::if_nametoindex(name_.c_str()) == 0) {
    if (deadline.expired())
      throw Error(ErrorKind::Timeout, object_, "has not come back to this host",
                  "see whether its USB adapter was unplugged, whether the bench's network (`hilcop net status`) still runs, and whether a "
                  "program still has a connection open that the bench made to the device: its network is there until that is closed");
    wait_until(deadline.at_most(kLookEvery));
  }
}

void LentInterface::restore() const {
  bool restored = !before_.gro || told(name_, ETHTOOL_SGRO, 1);
  if (before_.lro) restored = set_hardware_merging(name_, true) && restored;
  const auto socket = netlink::connected();
  change(socket.get(), name_, [this, restored](rtnl_link* link) {
    if (restored) rtnl_link_set_ifalias(link, before_.alias.c_str());  // else whoever comes next tries again
    if (before_.up) rtnl_link_set_flags(link, IFF_UP);
  });
}

}  // namespace hilcop
