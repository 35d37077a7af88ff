// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include <set>
#include <string>

#include <nlohmann/json.hpp>

#include "io/unique_fd.h"

namespace hilcop {

/// One client of the keeper, as the server sees it. Never blocks: what a client does not read is kept up to 1 MiB, then it is dropped.
class Connection {
 public:
  /// `user`: whose process it is; "" for the keeper's own.
  Connection(UniqueFd fd, pid_t pid, std::string user = "");

  int fd() const { return fd_.get(); }
  /// Readable when the client's process has ended: a forked child that keeps the socket open keeps no lease.
  int pidfd() const { return pidfd_.get(); }
  pid_t pid() const { return pid_; }
  const std::string& user() const { return user_; }
  bool wants_write() const { return !out_.empty(); }
  bool dead() const { return dead_; }
  void set_dead() { dead_ = true; }

  void send(const nlohmann::json& value);
  void flush();
  /// Complete lines that have arrived, as JSON; a line that is no JSON object comes as null. Sets dead() at end of file.
  std::vector<nlohmann::json> read();

  std::set<std::uint64_t> leases;
  std::string client = "?";

 private:
  UniqueFd fd_, pidfd_;
  pid_t pid_;
  std::string user_;
  std::string in_, out_;
  bool dead_ = false;
};

}  // namespace hilcop
