// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "network/intercept/intercept_case.h"
#include "network/intercept/upper_protocol.h"

namespace hilcop {

struct TcpAddress {
  std::string address;  // IPv4 or IPv6, as text
  std::uint16_t port = 0;
  bool operator==(const TcpAddress&) const = default;
  std::string text() const { return (address.find(':') == std::string::npos ? address : "[" + address + "]") + ":" + std::to_string(port); }
};

/// Which connections are meant: what is empty or 0 is met by all.
struct InterceptTarget {
  std::string server_name{};  // as in SNI, in lower case
  std::string address{};      // that the client aimed at
  std::uint16_t port = 0;
  bool operator<(const InterceptTarget& other) const {
    return std::tie(server_name, address, port) < std::tie(other.server_name, other.address, other.port);
  }

  bool met_by(const std::string& name, const TcpAddress& aimed_at) const {
    return (server_name.empty() || server_name == name) && (address.empty() || address == aimed_at.address) &&
           (port == 0 || port == aimed_at.port);
  }
};

/// What a server says to requests of HTTP for one path, over TLS or without: many a device goes on only where its register call has an
/// answer.
struct InterceptAnswer {
  InterceptTarget target{};
  std::string path;  // "/v1/register"
  PlannedAnswer answer;
};

/// Which case a connection gets, and what it is told. Thread-safe: what is set counts for the next ClientHello or request that comes.
class InterceptPlan {
 public:
  explicit InterceptPlan(InterceptCase otherwise) : otherwise_(otherwise) {}

  /// The first connection to each name (each address and port, where it says no name) gets the first case, the second the second..., all
  /// after the last the last. Of several targets that a connection meets the one that says a name counts, then the one that says an
  /// address, then a port. Set again, it begins anew; no cases: the target is forgotten.
  void set(const InterceptTarget& target, std::vector<InterceptCase> cases);
  void set_default(InterceptCase otherwise);
  void clear();

  /// In the place of all before: the first that a request meets; to others the status of all (InterceptOptions) is said.
  void set_answers(std::vector<InterceptAnswer> answers);
  std::optional<PlannedAnswer> answer_to(const std::string& server_name, const TcpAddress& aimed_at, std::string_view path) const;

  /// The case of a connection that has come; it counts as one.
  InterceptCase next(const std::string& server_name, const TcpAddress& aimed_at);

  /// Names that are told apart by each target; those that come after so many share one count.
  static constexpr std::size_t kMostNames = 4096;

 private:
  struct Rule {
    std::vector<InterceptCase> cases;
    std::map<std::string, std::size_t> come;
  };
  mutable std::mutex mutex_;
  std::map<InterceptTarget, Rule> rules_;
  InterceptCase otherwise_;
  std::vector<InterceptAnswer> answers_;
};

}  // namespace hilcop
