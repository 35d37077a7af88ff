// SPDX-License-Identifier: Apache-2.0
// The command line. Everything that ties the daemon to the board stands here, so that all of it runs on a host as any user.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ht1 {

struct Place {
  std::string host;
  int port = 0;
};

struct Options {
  std::filesystem::path factory, data, fuses, disk, pins, console, ready, watchdog;  // pins, watchdog, ready, disk: empty is none
  std::string address = "0.0.0.0", version = "0.0.0", slot = "A", rauc = "rauc", hostname_program = "true";
  int port = 443, plain_port = 80, udp_port = 30303;  // the last two only for flaws
  int update_every_s = 24 * 3600, telemetry_every_s = 60, button_hold_ms = 5000, recovery_patience_s = 600;
  std::map<std::string, Place> resolve;  // where a name is, in place of DNS

  bool recovery() const { return slot == "recovery"; }
  Place place_of(const std::string& name, int port) const;
};

// Failure names the option and says what it wants.
Options parse_options(const std::vector<std::string>& words);
std::string options_help();

}  // namespace ht1
