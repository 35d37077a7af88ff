// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "network/intercept/interceptor.h"
#include "network/process/outbox.h"

namespace hilcop {

/// The bench in the place of every TLS server, from when it is begun. Each connection that has ended is an event: tls.
class Interception {
 public:
  struct Options {
    std::string interface;
    std::vector<int> ports{443, 8443, 8883};
    std::string ca_pem, ca_key_pem;  // that the device trusts; empty: none, and what needs one is not testable
    InterceptCase otherwise = InterceptCase::Sound;
    std::function<std::string(const std::string& address)> name_of_address;
    std::function<void(std::string_view lines)> on_secrets;
    std::function<void(const std::string& client_random)> on_secrets_over;
  };
  /// Throws Error: a port that is taken, a CA that is none.
  Interception(Options options, Outbox& outbox);

  /// {target, cases}: {"server_name", "address", "port"}, and names of cases in their order; without a target what all others get.
  void plan(const nlohmann::json& how);
  /// {target, since_ns}; blocks until a connection of it has ended, or the deadline. Thread-safe.
  nlohmann::json wait(const nlohmann::json& how, Deadline deadline);
  /// All that are kept of {target, since_ns}: `connections`, and how many of any target are not (`no_longer_kept`).
  nlohmann::json ended(const nlohmann::json& how) const;
  nlohmann::json status() const;

 private:
  std::unique_ptr<Interceptor> interceptor_;
};

}  // namespace hilcop
