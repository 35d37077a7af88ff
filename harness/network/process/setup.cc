// SPDX-License-Identifier: Apache-2.0
#include "network/process/setup.h"

namespace hilcop {

nlohmann::json to_json(const NetworkSetup& setup) {
  return {{"name", setup.name},       {"cable", setup.cable.string()}, {"capture", setup.capture.string()},
          {"address", setup.address}, {"address6", setup.address6},    {"capture_ring", to_json(setup.capture_ring)}};
}

NetworkSetup network_setup_from_json(const nlohmann::json& value) {
  return {value.at("name"),
          value.at("cable").get<std::string>(),
          value.at("capture").get<std::string>(),
          value.at("address"),
          value.at("address6"),
          capture_ring_from_json(value.at("capture_ring"), "capture of the bench network")};
}

}  // namespace hilcop
