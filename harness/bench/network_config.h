// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/key_spec.h"
#include "bench/role_config.h"
#include "capture/capture_ring.h"

namespace hilcop {

/// The way to the lab's network that a device has beside the bench: to these addresses alone.
struct UplinkConfig {
  RoleConfig role;               // an interface of this host
  std::string address, gateway;  // of that interface there, "192.0.2.10/24"; the lab's router
  struct Allowed {
    std::string address, protocol, name;  // name: what the bench's name server gives the address for; may be empty
    int port = 0;
  };
  std::vector<Allowed> allow;
};

/// An authority of the lab's that a test build of the device trusts, PEM.
struct LabAuthority {
  std::filesystem::path certificate, key;
};

/// A DUT's network on the bench.
struct NetworkConfig {
  RoleConfig role;  // a socket that a cable is plugged into, or an interface of this host
  std::optional<LabAuthority> ca;
  std::optional<CaptureRing> capture;  // nothing: one file that has all
  std::optional<UplinkConfig> uplink;
};

/// Keys of `network:` beside those of its role; of its uplink, beside those of its own.
std::vector<KeySpec> network_keys();
std::vector<KeySpec> uplink_keys();

/// `value`: of a checked file. `role_at` finds and takes the instrument of a role; nullopt: it is told already that there is none.
std::optional<NetworkConfig> network_config(
    const nlohmann::json& value, const std::string& path,
    const std::function<std::optional<RoleConfig>(const nlohmann::json& value, const std::string& path)>& role_at);

}  // namespace hilcop
