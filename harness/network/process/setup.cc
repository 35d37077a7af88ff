// SPDX-License-Identifier: Apache-2.0
#include "network/process/setup.h"

namespace hilcop {

nlohmann::json to_json(const NetworkSetup& setup) {
  return {{"name", setup.name},
          {"bench", setup.bench},
          {"door", setup.door.string()},
          {"cable", setup.cable.string()},
          {"capture", setup.capture.string()},
          {"address", setup.address},
          {"address6", setup.address6}};
}

NetworkSetup network_setup_from_json(const nlohmann::json& value) {
  return {value.at("name"),
          value.at("bench"),
          value.at("door").get<std::string>(),
          value.at("cable").get<std::string>(),
          value.at("capture").get<std::string>(),
          value.at("address"),
          value.at("address6")};
}

}  // namespace hilcop
