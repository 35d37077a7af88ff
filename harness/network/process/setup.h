// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace hilcop {

/// What a bench network is made of. Travels to its process.
struct NetworkSetup {
  std::string name;                      // of the DUT, for people
  std::string bench;                     // that it is of
  std::filesystem::path door;            // unix socket at which others are told how it is (status_door.h); empty: none
  std::filesystem::path cable;           // unix socket that a virtual board is plugged to
  std::filesystem::path capture;         // recorded from the begin to the end; empty: not
  std::string address = "10.77.0.1/24";  // of the gateway
  std::string address6 = "fd77::1/64";
};

nlohmann::json to_json(const NetworkSetup& setup);
NetworkSetup network_setup_from_json(const nlohmann::json& value);

}  // namespace hilcop
