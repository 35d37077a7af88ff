// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

namespace hilcop {

/// Sockets and locks of this user on this host, mode 0700, made on demand: $HILCOP_RUNTIME_DIR, else $XDG_RUNTIME_DIR/hilcop,
/// else /tmp/hilcop-<uid>. Refuses (PermissionDenied) a directory that somebody else owns or may write.
std::filesystem::path runtime_dir();

/// What must survive a reboot of the harness but not of the lab (journal, switch counts): $HILCOP_STATE_DIR, else
/// $XDG_STATE_HOME/hilcop, else ~/.local/state/hilcop.
std::filesystem::path state_dir();

}  // namespace hilcop
