// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "capture/capture_ring.h"

namespace hilcop {

/// Where one device hangs on a bench network: a cable or an interface.
struct PortSetup {
  std::string device;                         // the DUT's name
  std::filesystem::path cable;                // unix socket that a virtual device is plugged to
  std::string interface;                      // of the host's, which is moved here before port.attach; a real device hangs on it
  std::filesystem::path capture;              // recorded from the begin to the end; empty: not
  std::optional<CaptureRing> capture_ring{};  // files named after `capture`; nothing: that one file
};

/// What a bench network is made of. Travels to its process.
struct NetworkSetup {
  std::string name;                      // of the DUT, or of the DUTs that share it; for people
  std::string bench;                     // that it is of
  std::filesystem::path door;            // unix socket at which others are told how it is (status_door.h); empty: none
  std::vector<PortSetup> ports;          // one, or those of a shared network
  std::string address = "10.77.0.1/24";  // of the gateway
  std::string address6 = "fd77::1/64";
};

nlohmann::json to_json(const NetworkSetup& setup);
NetworkSetup network_setup_from_json(const nlohmann::json& value);

}  // namespace hilcop
