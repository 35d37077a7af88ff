// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "bench/config.h"
#include "keeper/client.h"
#include "network/process/client.h"

namespace hilcop {

/// The network that a DUT hangs on, which the bench owns entirely. Recorded from before the first power-on, where the bench records. What
/// is done with it is an event network.change or network.link on the timeline and a comment in the capture; what it tells of the device is
/// an event network.<kind>. Calls block until it is done; throw Error, Interrupted.
class NetworkPort {
 public:
  virtual ~NetworkPort() = default;
  /// What is asked of the network by name (harness/network/process/docs/protocol.md); a change of it is told on the timeline.
  virtual nlohmann::json ask(const std::string& what, const nlohmann::json& how, Deadline deadline) = 0;
  virtual nlohmann::json change(const std::string& what, const nlohmann::json& how, Deadline deadline) = 0;
  /// A TCP connection from the bench's gateway to the device, for this process. Throws Error{Disconnected, Timeout, NotFound, Config}.
  virtual UniqueFd connect(const std::string& address, int port, Deadline deadline) = 0;
  /// Pulls the cable from the device's socket, or plugs it in (an interface is switched off or on): the device sees no link.
  virtual void set_link(bool up, Deadline deadline) = 0;
  /// What lab-config says that the device trusts; nullopt: nothing.
  virtual const std::optional<LabAuthority>& trusted_ca() const = 0;
  /// What is recorded from the begin on; empty: nothing is. Of a ring what its files are named after.
  virtual const std::filesystem::path& capture_file() const = 0;
};

/// The same as a resource: the network process and the cable to the DUT's socket, which it plugs in.
class KeptNetwork : public NetworkPort {
 public:
  /// A comment at the next packet of the capture. Never blocks long, never throws.
  virtual void mark(const std::string& text) noexcept = 0;
  /// Completes the capture and ends the network. Idempotent. Throws Error where that failed.
  virtual void close(Deadline deadline) = 0;
};

struct Uplink {
  Uplink(const UplinkConfig& uplink, Lease& leased) : config(uplink), interface(leased) {}
  const UplinkConfig& config;
  Lease& interface;
};

struct KeptNetworkOptions {
  std::string bench, dut;
  std::filesystem::path capture_dir;  // empty: not recorded
  std::filesystem::path program;      // the hilcop program
  std::optional<LabAuthority> ca;
  std::optional<CaptureRing> ring;  // of what is recorded
  std::optional<Uplink> uplink;
};
/// A DUT on a network that is to be opened. `socket`: of the DUT, or the interface that it hangs on, leased; outlives the network, as the
/// uplink's does.
struct NetworkMember {
  KeptNetworkOptions options;
  Lease& socket;
};
/// One network: of one DUT, or shared by several, which hear each other; in the order of the members. What it tells of a shared one's
/// devices is told of all of them (source "one+two/network"). Throws Error.
std::vector<std::unique_ptr<KeptNetwork>> open_network(const std::vector<NetworkMember>& members, EventSink& sink, Deadline deadline);

}  // namespace hilcop
