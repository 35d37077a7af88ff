// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "network/services/dns_names.h"
#include "network/services/dns_responder.h"
#include "network/services/dns_rules.h"
#include "network/services/udp_socket.h"

namespace hilcop::services {

/// One query, or what was meant to be one, and what became of it.
struct DnsExchange {
  enum class Fate {
    Waiting,   // the answer is delayed: the same number is told again when its fate is known
    Answered,  // the answer was handed to the kernel, or over TCP to a connection that was there
    Silent,    // nothing was to be said
    Failed,    // it could not be sent; `problem` says why
  };
  std::uint64_t number = 0;  // from 1, in the order in which queries came
  SteadyTime at;             // when it was read
  UtcTime utc;
  DnsTransport transport = DnsTransport::Udp;
  Endpoint client;
  Endpoint aimed_at;        // what the client had sent it to
  bool redirected = false;  // that was not this server
  std::uint16_t id = 0;
  std::string name, type;            // "www.example.com", "AAAA"; empty where it could not be read
  std::string answered, rule;        // as in DnsReply
  std::vector<IpAddress> addresses;  // that it was told
  Fate fate = Fate::Silent;
  std::optional<SteadyTime> answered_at;
  std::string problem;  // of a malformed query, or one that is not to be answered
  std::string excerpt;  // of such a one: its first 64 bytes at most, in hexadecimal
};

struct DnsCounts {
  std::uint64_t queries = 0, malformed = 0, answered = 0, silent = 0, failed = 0;
  std::uint64_t connections = 0, refused_connections = 0;  // of TCP; the latter because too many were open
};

/// Bound sockets of any number, of IPv4 and IPv6, made in whatever network namespace; those of TCP listen.
struct DnsSockets {
  std::vector<UniqueFd> udp, tcp;
};

struct DnsServerOptions {
  std::string object = "DNS server";  // in errors
  bool ipv6 = false;                  // names have addresses of IPv6 too
  OriginalDestination original_destination = {};
  const Clock* clock = nullptr;  // real_clock()
  std::size_t connections = 64;  // of TCP at a time; one more is closed at once
  Nanoseconds patience = 10s;    // a connection that brings no whole query, or takes no answer, for so long is closed
  std::size_t delayed = 10'000;  // answers that wait at a time; one more is not sent, and told as Failed
};

/// A name server that lies as it is told (RFC 1035, 6891, 7766, 9619). One thread, which waits for its sockets alone. Memory is bounded by
/// the options: 200 KB at most for a connection, 64 KB for a delayed answer over TCP and 2 KB over UDP. Thread-safe.
class DnsServer {
 public:
  /// Called on the server's thread, one at a time; must not block, nor throw, nor end the server.
  using Tell = std::function<void(const DnsExchange&)>;

  /// Serves from now on. `names` outlives it. Throws Error{Config}: a socket is none that it can serve; Error{Exhausted}.
  DnsServer(DnsSockets sockets, DnsNames& names, Tell tell, DnsServerOptions options = {});
  /// Answers that still wait are not sent, and told as Failed. Returns as soon as a call of `tell` that goes on has ended.
  ~DnsServer();

  /// For queries from now on. set() throws Error{Config}.
  DnsRules& rules() { return rules_; }
  /// True: whatever comes, nothing is said; queries are told all the same.
  void set_silent(bool silent) { silent_ = silent; }
  DnsCounts counts() const;
  /// Why it does not serve (one of) its sockets any more, if that is so. Who judges by what was not asked must look.
  std::optional<Error> failure() const;

 private:
  class Loop;
  DnsRules rules_;
  std::atomic<bool> silent_{false};
  std::unique_ptr<Loop> loop_;
};

}  // namespace hilcop::services
