// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include "base/clock.h"
#include "keeper/driver.h"

namespace hilcop {

struct KeeperOptions {
  /// A socket that listens already (systemd's): not removed at the end; `socket` is then where it listens.
  int listener = -1;
  /// Its members may be clients too, as much as this user: they switch what they lease, and may force safe states. Who may be a client
  /// can make the keeper run a command (drivers `command`, `qemu-machine`) as its own user: give it a user that has nothing else.
  std::string group = {};
  std::filesystem::path socket;   // empty: runtime_dir()/keeper.sock
  std::filesystem::path journal;  // empty: state_dir()/keeper-journal.ndjson
  Nanoseconds idle_end = 30s;     // ends after this long without a client and with every output at its safe state
  Nanoseconds reclaim = 1500ms;   // after a crash: how long a channel of the journal may be claimed again before its safe state
};

/// Serves until idle or SIGTERM; then applies every safe state. Returns the exit status. Error{Busy} if one already serves.
int serve_keeper(const KeeperOptions& options, DriverTable drivers);

}  // namespace hilcop
