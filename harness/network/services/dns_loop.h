// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <poll.h>

#include <map>
#include <mutex>
#include <vector>

#include "io/service_thread.h"
#include "network/services/dns_connection.h"
#include "network/services/dns_server.h"

namespace hilcop::services {

/// The thread of a DnsServer, and all that it alone uses.
class DnsServer::Loop {
 public:
  Loop(DnsSockets sockets, DnsNames& names, const DnsRules& rules, const std::atomic<bool>& silent, Tell tell, DnsServerOptions options);
  ~Loop() { thread_.end(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  DnsCounts counts() const;
  std::optional<Error> failure() const;

 private:
  // Where an answer goes.
  struct Way {
    std::size_t socket = 0;        // of UDP
    Datagram datagram;             // without its bytes
    std::uint64_t connection = 0;  // of TCP; 0: over UDP
  };
  struct Delayed {
    DnsExchange exchange;
    std::string bytes;
    Way way;
  };

  void run();
  bool step();
  Deadline next() const;
  void serve_udp(std::size_t socket);
  void serve_listener(int listener);
  void serve_connections(std::size_t first);
  void close_connection(std::map<std::uint64_t, DnsConnection>::iterator connection);
  void serve_query(std::string_view bytes, DnsTransport transport, int fd, const Endpoint& client, const Endpoint& local, const Way& way);
  void malformed(std::string_view bytes, const std::string& problem, const DnsConnection& connection);
  DnsExchange begin(DnsTransport transport, int fd, const Endpoint& client, const Endpoint& local);
  void finish(DnsExchange& exchange, const std::string& bytes, const Way& way);
  std::string sent(const std::string& bytes, const Way& way);
  void send_due();
  void tell(const DnsExchange& exchange);
  void fail(const Error& error);

  const DnsServerOptions options_;
  const Clock& clock_;
  const std::atomic<bool>& silent_;
  Tell tell_;
  DnsResponder responder_;
  std::vector<UdpSocket> udp_;
  std::vector<UniqueFd> tcp_;
  std::map<std::uint64_t, DnsConnection> connections_;
  std::uint64_t connection_ = 0, number_ = 0;
  std::multimap<SteadyTime, Delayed> delayed_;
  std::optional<Deadline> accept_again_;
  std::vector<pollfd> polls_;
  mutable std::mutex mutex_;  // for what follows
  DnsCounts counts_;
  std::optional<Error> failure_;
  ServiceThread thread_;  // last: it uses the others
};

}  // namespace hilcop::services
