// SPDX-License-Identifier: Apache-2.0
// setup_tool PROGRAM FOLDER ROUNDS: how long it takes until a bench network records and answers, and until it has gone; a JSON line each.
#include <iostream>

#include "network/process/client.h"

int main(int count, char** words) {
  using namespace hilcop;
  if (count != 4) return 2;
  try {
    for (int round = 0; round < std::stoi(words[3]); ++round) {
      NetworkClient::Options options;
      options.program = words[1];
      options.setup.name = "device";
      const auto file = std::filesystem::path(words[2]) / (std::to_string(round) + ".pcapng");
      options.setup.ports = {{"device", std::filesystem::path(words[2]) / "cable", "", file}};
      const auto seconds = [began = real_clock().now()] { return std::chrono::duration<double>(real_clock().now() - began).count(); };
      const auto network = NetworkClient::start(std::move(options), Deadline::in(10s));
      network->ask("status", nlohmann::json::object(), Deadline::in(10s));
      const auto up = seconds();
      network->close(Deadline::in(10s));
      std::cout << nlohmann::json{{"up_s", up}, {"down_s", seconds() - up}, {"captured", std::filesystem::exists(file)}} << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  return 0;
}
