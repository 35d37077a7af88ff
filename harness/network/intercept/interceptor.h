// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "io/unique_fd.h"
#include "network/intercept/case_certificates.h"
#include "network/intercept/intercept_plan.h"
#include "network/intercept/intercepted_connection.h"

namespace hilcop {

/// What is said first to a client that waits for that: SMTP's "220 ...\r\n".
struct InterceptBanner {
  InterceptTarget target;
  std::string text;
  bool at_once = false;  // as soon as it has come, in plain text; else right after the handshake
};

struct InterceptOptions {
  std::size_t most_connections = 256;  // at once; who comes beyond is turned away, and reported
  Nanoseconds handshake = 10s;         // from the connection to the end of the handshake
  Nanoseconds first_data = 10s;        // from there to the first byte: a client that is silent for longer sent nothing
  Nanoseconds more_data = 3s;          // of silence after data
  Nanoseconds total = 60s;             // of one connection, however much comes
  int http_status = 200;
  std::vector<InterceptBanner> banners;  // the first that a connection meets
  /// Where certificates say that the list of the revoked ones is, which is served at its path to whoever asks a connection for it; empty:
  /// nowhere.
  std::string list_url;
  /// Where the client wanted to go; empty: original_destination().
  std::function<std::optional<TcpAddress>(int fd)> destination_of;
  /// The host name that was given out for an address, for a client that says none; empty, or an empty answer: none.
  std::function<std::string(const std::string& address)> name_of_address;
  // From the interceptor's thread, one at a time. They return quickly and throw nothing.
  std::function<void(const InterceptedConnection&)> on_connection;  // each that came, once, when it has ended
  /// A line of SSLKEYLOGFILE with its line end, as soon as OpenSSL knows it: before the bench sends what it opens. Of TLS 1.3's
  /// CLIENT_TRAFFIC_SECRET_0 that is when the client's Finished is read, which its first data can be right behind.
  std::function<void(std::string_view line)> on_secrets;
  /// A session of which it had secrets has ended; the client random is in hex, as the lines have it.
  std::function<void(const std::string& client_random)> on_secrets_over;
};

struct InterceptCounts {
  std::uint64_t accepted = 0, ended = 0, turned_away = 0;
  std::uint64_t accept_failures = 0;  // the host had no descriptor or memory left; tried again
  std::uint64_t no_longer_kept = 0;   // of those that ended
};

/// Stands in the place of every TLS server that a device calls, shows it the case of the plan, and tells what it did then. Serves on a
/// thread of its own until it is destroyed, which takes no longer than what it is calling just then. Memory is bounded: most_connections
/// times some 200 KiB, and for those that ended 4,096 records and 16 MiB of data, the oldest of which go.
class Interceptor {
 public:
  /// Of the stream sockets, which listen already (in whatever network namespace), it is the owner. Throws Error.
  Interceptor(std::vector<UniqueFd> listening, CaseCertificates certificates, InterceptCase otherwise, InterceptOptions options);
  ~Interceptor();
  Interceptor(const Interceptor&) = delete;
  Interceptor& operator=(const Interceptor&) = delete;

  /// May be changed at any time.
  InterceptPlan& plan();

  /// The first connection to the target that came at or after `since` and has ended. At the deadline: NeverCame, or NotJudged where one
  /// has come and goes on, or may have been among those no longer kept. A device may call again and do otherwise: see ended(). Blocks;
  /// throws Interrupted. Thread-safe.
  InterceptedConnection wait_for(const InterceptTarget& target, Deadline deadline, SteadyTime since = {});
  /// All that are kept, in the order they ended. Thread-safe.
  std::vector<InterceptedConnection> ended(const InterceptTarget& target = {}, SteadyTime since = {}) const;
  /// How many of them go on. Asked before ended(), none is missed: one that ends in between is in both. Thread-safe.
  std::size_t going(const InterceptTarget& target = {}, SteadyTime since = {}) const;
  InterceptCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hilcop
