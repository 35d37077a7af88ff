// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/deadline.h"
#include "network/port/links.h"
#include "network/port/routes.h"
#include "network/process/address_clashes.h"
#include "network/process/device_port.h"
#include "network/process/gateway_filter.h"
#include "network/process/gateway_services.h"
#include "network/process/interception.h"
#include "network/process/lan_hosts.h"
#include "network/process/outbox.h"
#include "network/process/scanning.h"
#include "network/process/setup.h"

namespace hilcop {

/// The whole network that one DUT hangs on, or several that share it, in the namespace of this process: their ports, the wires, the gateway
/// behind them and what is recorded. Not thread-safe; calls end at once unless they say otherwise. Throws Error.
class BenchNetwork {
 public:
  /// Where the bench is; the same in each network, as its namespace is its own.
  static constexpr const char* kGateway = "gateway";

  BenchNetwork(const NetworkSetup& setup, Outbox& outbox);
  ~BenchNetwork();

  /// What is asked of it by name, as docs/protocol.md lists; may block until the deadline. Throws Error{Unsupported} for other names.
  nlohmann::json ask(const std::string& what, const nlohmann::json& how, Deadline deadline);
  /// Of what waits for the device, and may be called from a thread of its own beside all else; nothing: it does not wait.
  std::function<nlohmann::json(Deadline)> waiting(const std::string& what, const nlohmann::json& how);

 private:
  void make_gateway();
  void add_gateway_address(const std::string& address);
  void attach(const std::string& device);
  DevicePort& port(const nlohmann::json& how);
  nlohmann::json status();
  void begin_interception(const nlohmann::json& how);
  Interception& interception();
  Error about(ErrorKind kind, const std::string& cause, const std::string& remedy) const;

  NetworkSetup setup_;
  Outbox& outbox_;
  Links links_;
  Routes routes_;
  std::map<std::string, UniqueFd> free_wires_;  // ends at the gateway of wires that no port has yet, by device
  std::mutex ports_mutex_;                      // held to change the map, and by other threads to read it
  std::map<std::string, std::unique_ptr<DevicePort>> ports_;
  LanHosts hosts_;
  std::unique_ptr<GatewayFilter> filter_;
  std::unique_ptr<AddressClashes> clashes_;
  std::unique_ptr<GatewayServices> services_;
  std::shared_ptr<Interception> interception_;  // shared with who waits for it
  std::shared_ptr<Scanning> scanning_;          // the same
};

}  // namespace hilcop
