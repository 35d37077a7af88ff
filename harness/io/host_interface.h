// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A network interface as this process's network namespace has it.
struct HostInterface {
  std::string name, mac, kind;         // kind: "veth", "bridge"...; empty: hardware
  std::vector<std::string> addresses;  // that somebody gave it: neither link-local IPv6 nor none
  std::string master;                  // the bridge or bond that it is a port of; empty: none
  std::vector<std::string> above;      // interfaces that stand on it: VLANs, macvlans
  bool up = false, loopback = false;
};

/// nullopt: there is none of this name. Throws Error where the kernel cannot be asked.
std::optional<HostInterface> host_interface(const std::string& name);
std::vector<std::string> host_interface_names();
/// Whether they are one, in whatever case and with whatever between the bytes: "00:e0:4c:68:00:01", as labels have it "00-E0-4C-68-00-01".
bool same_mac(const std::string& one, const std::string& other);

/// An interface of this host that is lent to the network namespace of another process and comes back: when it is taken back, and by the
/// kernel's own doing (a real one; to the first namespace of the host) when that namespace ends. While it is lent it merges no segments
/// (GRO, LRO), so that whoever listens there sees what was on the wire; what it did before is set again when it is taken back, and stands
/// meanwhile in its alias (`ip link`), so that it is known also where the lender was killed. Calls block until their deadline at most.
/// Throws Error on `object`; not thread-safe.
class LentInterface {
 public:
  /// `mac`: that it must have; empty: any. Sets again what a lender left behind who was killed.
  LentInterface(std::string name, std::string mac, std::string object);
  /// Refuses an interface that this host uses: one with an address, a port of a bridge or bond, one that others stand on (VLANs).
  void lend(pid_t to, Deadline deadline);
  /// Does nothing where it is not lent.
  void take_back(Deadline deadline);
  /// Lent, and not here: an adapter that was plugged in again is here.
  bool lent() const;

 private:
  struct Before {
    bool up = false, gro = false, lro = false;
    std::string alias;
  };
  static std::string note_of(const Before& before);
  static std::optional<Before> noted(const std::string& name);
  bool fetch();
  void await_return(Deadline deadline) const;
  void restore() const;

  std::string name_, mac_, object_;
  bool lent_ = false;
  Before before_;
  UniqueFd where_;  // the other namespace; empty: this process may not look into it
};

}  // namespace hilcop
