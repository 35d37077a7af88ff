// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "network/intercept/intercept_case.h"

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

/// Which case a connection gets. Thread-safe: what is set counts for the next ClientHello that comes.
class InterceptPlan {
 public:
  explicit InterceptPlan(InterceptCase otherwise) : otherwise_(otherwise) {}

  /// The first connection to each name (each address and port, where it says no name) gets the first case, the second the second..., all
  /// after the last the last. Of several targets that a connection meets the one that says a name counts, then the one that says an
  /// address, then a port. Set again, it begins anew; no cases: the target is forgotten.
  void set(const InterceptTarget& target, std::vector<InterceptCase> cases);
  void set_default(InterceptCase otherwise);
  void clear();

  /// The case of a connection that has come; it counts as one.
  InterceptCase next(const std::string& server_name, const TcpAddress& aimed_at);

  /// Names that are told apart by each target; those that come after so many share one count.
  static constexpr std::size_t kMostNames = 4096;

 private:
  struct Rule {
    std::vector<InterceptCase> cases;
    std::map<std::string, std::size_t> come;
  };
  std::mutex mutex_;
  std::map<InterceptTarget, Rule> rules_;
  InterceptCase otherwise_;
};

}  // namespace hilcop
