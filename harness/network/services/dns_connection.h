// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/deadline.h"
#include "io/unique_fd.h"
#include "network/services/endpoint.h"

namespace hilcop::services {

/// A client's connection to a name server: messages with their length in front (RFC 1035 4.2.2). Never blocks. Not thread-safe.
class DnsConnection {
 public:
  DnsConnection(UniqueFd fd, Endpoint client, Endpoint local, Deadline deadline)
      : fd_(std::move(fd)), client_(client), local_(local), deadline_(deadline) {}

  int fd() const { return fd_.get(); }
  const Endpoint& client() const { return client_; }
  const Endpoint& local() const { return local_; }
  /// What to poll for. 0: nothing but an error is awaited.
  short events() const;
  /// Reads and writes what can be now.
  void serve(short revents);
  /// A whole message that has come, unless the client has yet to take many answers. It lives until the next call of serve().
  std::optional<std::string_view> next_message();
  /// What came after the messages that were taken. It lives as long as they do.
  std::string_view left_over() const { return std::string_view(in_).substr(taken_); }
  void send(std::string_view message);
  void flush();
  /// Nothing can be sent any more. What came before is there all the same.
  bool broken() const { return broken_; }
  /// Broken; or the client sends nothing more, and has got all that is to be sent.
  bool finished() const { return broken_ || (ended_ && out_.empty() && waiting == 0); }

  Deadline deadline() const { return deadline_; }
  void extend(Deadline deadline) { deadline_ = deadline; }
  std::size_t waiting = 0;  // answers that are still to be sent

 private:
  bool blocked() const;
  void read();

  UniqueFd fd_;
  Endpoint client_, local_;
  Deadline deadline_;
  std::string in_, out_;
  std::size_t taken_ = 0;  // of in_
  bool ended_ = false;     // by the client
  bool broken_ = false;
};

}  // namespace hilcop::services
