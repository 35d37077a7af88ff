// SPDX-License-Identifier: Apache-2.0
// network --control N --sockets M: a bench network. own SOCKET: somebody who has one, says its process and waits to be killed.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "network/process/client.h"
#include "network/process/serve.h"
#include "network/process/status_door.h"

int main(int count, char** words) {
  if (count == 6 && std::string_view(words[1]) == "network") return hilcop::serve_network(std::atoi(words[3]), std::atoi(words[5]));
  if (count != 3 || std::string_view(words[1]) != "own") return 2;
  hilcop::NetworkClient::Options options;
  options.program = "/proc/self/exe";
  options.setup.name = "device";
  options.setup.ports = {{"device", words[2], "", {}}};
  options.setup.door = hilcop::new_status_door(0);
  const auto network = hilcop::NetworkClient::start(std::move(options), hilcop::Deadline::in(std::chrono::seconds(20)));
  std::printf("%d\n", network->pid());
  std::fflush(stdout);
  for (;;) ::pause();
}
