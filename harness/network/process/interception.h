// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "network/intercept/datagram_watch.h"
#include "network/intercept/interceptor.h"
#include "network/process/outbox.h"

namespace hilcop {

/// The bench in the place of every TLS server, from when it is begun. Each connection that has ended is an event: tls; each QUIC or DTLS
/// client that begins is one: datagram_tls.
class Interception {
 public:
  struct Options {
    std::string interface;
    std::set<int> ports{443, 8443, 8883};
    bool all_ports = false;    // connections to any other port of any host, too, whatever is spoken there
    bool quic_silent = false;  // a QUIC client hears nothing; else that nobody listens there (ICMP), so that most go on over TCP at once
    std::vector<InterceptBanner> banners;
    std::string ca_pem, ca_key_pem;  // that the device trusts; empty: none, and what needs one is not testable
    InterceptCase otherwise = InterceptCase::Sound;
    std::function<std::string(const std::string& address)> name_of_address;
    std::function<void(std::string_view lines)> on_secrets;
    /// Lets connections to these ports come, and those to all others to the two; 0: nowhere.
    std::function<void(std::set<int> ports, int others_ipv4, int others_ipv6)> serve;
    std::function<void(const std::string& client_random)> on_secrets_over;
  };
  /// Throws Error: a port that is taken, a CA that is none, a kernel that catches none.
  Interception(Options options, Outbox& outbox);

  /// {target, cases}: {"server_name", "address", "port"}, and names of cases in their order; without a target what all others get.
  void plan(const nlohmann::json& how);
  /// {answers: [{"path", "status", "content_type", "body", "server_name", "address", "port"}]}: what is said to requests of HTTP from now
  /// on.
  void answers(const nlohmann::json& how);
  /// {target, since_ns}; blocks until a connection of it has ended, or the deadline. Thread-safe.
  nlohmann::json wait(const nlohmann::json& how, Deadline deadline);
  /// All that are kept of {target, since_ns}: `connections`, and how many of any target are not (`no_longer_kept`).
  nlohmann::json ended(const nlohmann::json& how) const;
  nlohmann::json status() const;

 private:
  std::unique_ptr<Interceptor> interceptor_;
  std::unique_ptr<DatagramWatch> datagrams_;
};

/// As intercept.start is asked for. Throws Error{Config}.
Interception::Options interception_options_of(const nlohmann::json& how);

}  // namespace hilcop
