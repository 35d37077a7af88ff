// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

#include "base/clock.h"
#include "keeper/driver.h"

namespace hilcop {

struct KeeperOptions {
  std::filesystem::path socket;   // empty: runtime_dir()/keeper.sock
  std::filesystem::path journal;  // empty: state_dir()/keeper-journal.ndjson
  Nanoseconds idle_end = 30s;     // ends after this long without a client and with every output at its safe state
  Nanoseconds reclaim = 1500ms;   // after a crash: how long a channel of the journal may be claimed again before its safe state
};

/// Serves until idle or SIGTERM; then applies every safe state. Returns the exit status. Error{Busy} if one already serves.
int serve_keeper(const KeeperOptions& options, DriverTable drivers);

}  // namespace hilcop
