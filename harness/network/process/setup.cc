// SPDX-License-Identifier: Apache-2.0
#include "network/process/setup.h"

namespace hilcop {

nlohmann::json to_json(const NetworkSetup& setup) {
  auto ports = nlohmann::json::array();
  for (const auto& port : setup.ports)
    ports.push_back({{"device", port.device},
                     {"cable", port.cable.string()},
                     {"interface", port.interface},
                     {"capture", port.capture.string()},
                     {"capture_ring", to_json(port.capture_ring)}});
  return {{"name", setup.name}, {"bench", setup.bench},     {"door", setup.door.string()},
          {"ports", ports},     {"address", setup.address}, {"address6", setup.address6}};
}

NetworkSetup network_setup_from_json(const nlohmann::json& value) {
  NetworkSetup setup;
  setup.name = value.at("name");
  setup.bench = value.at("bench");
  setup.door = value.at("door").get<std::string>();
  for (const auto& port : value.at("ports"))
    setup.ports.push_back({port.at("device"), port.at("cable").get<std::string>(), port.at("interface"),
                           port.at("capture").get<std::string>(),
                           capture_ring_from_json(port.at("capture_ring"), "capture of the bench network")});
  setup.address = value.at("address");
  setup.address6 = value.at("address6");
  return setup;
}

}  // namespace hilcop
