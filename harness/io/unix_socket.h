// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A listening stream socket, mode 0600, close-on-exec, non-blocking. A stale file of a dead listener is replaced; a live
/// one is Error{Busy}. Paths over 107 bytes are handled (through the directory's descriptor).
UniqueFd listen_unix(const std::filesystem::path& path);
/// Connected, close-on-exec, non-blocking. Throws Error{NotFound, Disconnected, PermissionDenied, Timeout}.
UniqueFd connect_unix(const std::filesystem::path& path, Deadline deadline);
/// nullopt: nobody is waiting.
std::optional<UniqueFd> accept_unix(int listener);

struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
};
PeerCredentials peer_credentials(int fd);
/// Whether the peer was a member of the group when it connected.
bool peer_is_in_group(int fd, gid_t group);

/// The listening unix socket that systemd (or systemd-socket-activate) handed to this process, once: sd_listen_fds(3). nullopt: none.
/// Throws Error{Config} for anything but one such socket.
std::optional<UniqueFd> inherited_listener();
/// Where a socket listens.
std::filesystem::path path_of_socket(int fd);

/// Lines of JSON over a stream socket. Lines over 16 MiB, broken JSON and invalid UTF-8 are Error{Protocol}.
class JsonLines {
 public:
  explicit JsonLines(UniqueFd fd, std::string peer) : fd_(std::move(fd)), peer_(std::move(peer)) {}
  int fd() const { return fd_.get(); }
  /// Blocks until all is sent. Throws Error{Disconnected, Timeout}. One writer at a time.
  void send(const nlohmann::json& value, Deadline deadline);
  /// The next line; nullopt at the deadline. Throws Error{Disconnected} at end of file, Interrupted.
  std::optional<nlohmann::json> receive(Deadline deadline);
  /// A line that is already there or can be read without waiting; nullopt otherwise.
  std::optional<nlohmann::json> receive_now();

 private:
  std::optional<nlohmann::json> take_line();
  UniqueFd fd_;
  std::string peer_;
  std::string buffer_;
  std::size_t scanned_ = 0;
};

}  // namespace hilcop
