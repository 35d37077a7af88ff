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

/// The keeper that this process asks. `shared`: it serves a group of users (lab-config/README.md) and is nobody's to start.
struct KeeperAddress {
  std::filesystem::path socket;
  bool shared = false;
};
/// $HILCOP_KEEPER_SOCKET; else, unless $HILCOP_RUNTIME_DIR is set, /run/hilcop/keeper.sock if it is there; else that of this user. On
/// a host with a shared keeper nobody falls back to one of his own: two would switch the same relays.
KeeperAddress keeper_address();

/// For what ends with this process: $TMPDIR, else /tmp. Throws Error{NotFound} where there is no such folder.
std::filesystem::path temporary_dir();

/// Where DUTs are leased: one place for all who ask the same keeper.
std::filesystem::path lease_dir();

/// What a group that shares a keeper knows of its benches (self-tests, calibrations), made by that keeper for the group alone:
/// /var/lib/hilcop/records for /run/hilcop/keeper.sock, which a reboot empties; else `records` beside the socket.
std::filesystem::path group_records_dir(const std::filesystem::path& socket);

}  // namespace hilcop
