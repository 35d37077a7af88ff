// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/deadline.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Where others of this user see how a network is, without asking whoever has it: each who connects to a unix socket (mode 0600) is told
/// one line of JSON and hung up on. Whatever they do, nobody is waited for: what a socket does not take at once is not said.
class StatusDoor {
 public:
  /// Longer than any status is: a socket takes as much at once (net.core.wmem_default).
  static constexpr std::size_t kMostTold = 120'000;

  /// Listens; the file is there when this returns, and goes with this object. Throws Error.
  explicit StatusDoor(std::filesystem::path path);
  ~StatusDoor();
  StatusDoor(const StatusDoor&) = delete;
  StatusDoor& operator=(const StatusDoor&) = delete;

  /// Readable while somebody waits to be told; -1 while this process has no descriptor for another, for a second.
  int fd() const;
  /// Tells one of them, if he is of this user: {"result": what `told` returns} or {"error"}. Never blocks but for `told`, never throws.
  void answer(const std::function<nlohmann::json()>& told) noexcept;

 private:
  std::filesystem::path path_;
  UniqueFd listener_;
  SteadyTime rests_until_{};
};

/// A file for the door of the next network of this process: runtime_dir()/net-<pid>-<number>.door.
std::filesystem::path new_status_door(int number);
/// The doors in runtime_dir(). Those whose owner died without removing them are removed. Throws Error{PermissionDenied}.
std::vector<std::filesystem::path> status_doors();
/// What is told there. nullopt: nobody is behind it any more. Throws Error{Timeout, Protocol} or what it tells instead, Interrupted.
std::optional<nlohmann::json> ask_at(const std::filesystem::path& door, Deadline deadline);

}  // namespace hilcop
