// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "network/services/dns_loop.h"
#include "network/services/hex.h"

namespace hilcop::services {
namespace {

constexpr int kAtOnce = 64;                    // datagrams of a socket, before others have their turn
constexpr std::size_t kExcerpt = 64;           // bytes
constexpr Nanoseconds kNoDescriptors = 100ms;  // until accept() is tried again

std::string excerpt_of(std::string_view bytes) { return to_hex(bytes.substr(0, kExcerpt)); }

}  // namespace

DnsServer::Loop::Loop(DnsSockets sockets, DnsNames& names, const DnsRules& rules, const std::atomic<bool>& silent, Tell tell,
                      DnsServerOptions options)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : real_clock()),
      silent_(silent),
      tell_(std::move(tell)),
      responder_(names, rules, options_.ipv6),
      tcp_(std::move(sockets.tcp)),
      thread_(options_.object) {
  for (auto& fd : sockets.udp) udp_.emplace_back(std::move(fd), options_.object);
  for (const auto& fd : tcp_) {
    adopt_socket(fd.get(), SOCK_STREAM, options_.object);
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
      throw Error(ErrorKind::Config, options_.object, "was given a socket of TCP that does not listen", "call listen() on it before");
  }
  thread_.start([this] { run(); });
}

void DnsServer::Loop::run() {
  while (step()) {
  }
  for (auto& [due, delayed] : delayed_) {
    delayed.exchange.fate = DnsExchange::Fate::Failed;
    delayed.exchange.problem = "the server ended before the answer was due";
    tell(delayed.exchange);
  }
}

// False: the server is to end.
bool DnsServer::Loop::step() {
  polls_.assign(1, {thread_.end_fd(), POLLIN, 0});
  for (const auto& socket : udp_) polls_.push_back({socket.failure() ? -1 : socket.fd(), POLLIN, 0});
  if (accept_again_ && accept_again_->expired(clock_)) accept_again_.reset();
  for (const auto& listener : tcp_) polls_.push_back({accept_again_ ? -1 : listener.get(), POLLIN, 0});
  for (const auto& [number, connection] : connections_) polls_.push_back({connection.fd(), connection.events(), 0});
  if (::poll(polls_.data(), polls_.size(), next().poll_timeout_ms(clock_)) < 0 && errno != EINTR) {
    fail(error_from_errno(errno, options_.object, "cannot wait for its sockets"));
    return false;
  }
  if (polls_[0].revents != 0) return false;
  send_due();
  for (std::size_t i = 0; i < udp_.size(); ++i)
    if (polls_[1 + i].revents != 0) serve_udp(i);
  serve_connections(1 + udp_.size() + tcp_.size());
  for (std::size_t i = 0; i < tcp_.size(); ++i)
    if (polls_[1 + udp_.size() + i].revents != 0) serve_listener(tcp_[i].get());
  return true;
}

Deadline DnsServer::Loop::next() const {
  auto at = SteadyTime::max();
  if (!delayed_.empty()) at = delayed_.begin()->first;
  if (accept_again_) at = std::min(at, accept_again_->at());
  for (const auto& [number, connection] : connections_) at = std::min(at, connection.deadline().at());
  return Deadline(at);
}

void DnsServer::Loop::serve_udp(std::size_t socket) {
  for (int i = 0; i < kAtOnce; ++i) {
    const auto datagram = udp_[socket].receive();
    if (!datagram) break;
    Way way{socket, *datagram, 0};
    way.datagram.bytes = {};
    serve_query(datagram->bytes, DnsTransport::Udp, udp_[socket].fd(), datagram->client, datagram->local, way);
  }
  if (const auto& failure = udp_[socket].failure()) fail(*failure);
}

void DnsServer::Loop::serve_listener(int listener) {
  sockaddr_storage peer{}, own{};
  socklen_t size = sizeof peer, own_size = sizeof own;
  UniqueFd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    const int why = errno;
    if (why == EBADF || why == EINVAL || why == ENOTSOCK) fail(error_from_errno(why, options_.object, "takes no connection any more"));
    // A connection that waits keeps poll() awake while there is no descriptor for it.
    if (why != EAGAIN && why != EINTR && why != ECONNABORTED) accept_again_ = Deadline::in(kNoDescriptors, clock_);
    return;
  }
  const bool room = connections_.size() < options_.connections;
  {
    const std::scoped_lock lock(mutex_);
    ++(room ? counts_.connections : counts_.refused_connections);
  }
  if (!room) return;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &own_size);
  connections_.emplace(std::piecewise_construct, std::tuple(++connection_),
                       std::tuple(std::move(fd), Endpoint::of(peer), Endpoint::of(own), Deadline::in(options_.patience, clock_)));
}

void DnsServer::Loop::serve_connections(std::size_t first) {
  for (auto at = connections_.begin(); at != connections_.end();) {
    const auto here = at++;
    auto& [number, connection] = *here;
    connection.serve(polls_[first++].revents);
    while (const auto message = connection.next_message()) {
      connection.extend(Deadline::in(options_.patience, clock_));
      serve_query(*message, DnsTransport::Tcp, connection.fd(), connection.client(), connection.local(), {0, {}, number});
    }
    connection.flush();
    if (connection.finished() || connection.deadline().expired(clock_)) close_connection(here);
  }
}

void DnsServer::Loop::close_connection(std::map<std::uint64_t, DnsConnection>::iterator connection) {
  const auto rest = connection->second.left_over();
  if (!rest.empty()) malformed(rest, fmt::format("a connection that ended after {} bytes of a message", rest.size()), connection->second);
  connections_.erase(connection);
}

void DnsServer::Loop::serve_query(std::string_view bytes, DnsTransport transport, int fd, const Endpoint& client, const Endpoint& local,
                                  const Way& way) {
  auto exchange = begin(transport, fd, client, local);
  auto reply = silent_ ? DnsResponder::silence(bytes) : responder_.reply(bytes, transport);
  if (reply.question) exchange.name = reply.question->name.text(), exchange.type = to_string(reply.question->type);
  exchange.id = reply.id;
  exchange.answered = std::move(reply.answered);
  exchange.rule = std::move(reply.rule);
  exchange.addresses = std::move(reply.addresses);
  exchange.problem = std::move(reply.problem);
  if (!exchange.problem.empty()) {
    exchange.excerpt = excerpt_of(bytes);
    const std::scoped_lock lock(mutex_);
    ++counts_.malformed;
  }
  if (reply.delay == Nanoseconds(0) || reply.bytes.empty()) {
    finish(exchange, reply.bytes, way);
  } else if (delayed_.size() >= options_.delayed) {
    exchange.fate = DnsExchange::Fate::Failed;
    exchange.problem = fmt::format("{} answers wait already", delayed_.size());
    tell(exchange);
  } else {
    exchange.fate = DnsExchange::Fate::Waiting;
    tell(exchange);
    const auto due = exchange.at + reply.delay;
    if (const auto connection = connections_.find(way.connection); connection != connections_.end()) {
      ++connection->second.waiting;
      connection->second.extend(Deadline(std::max(connection->second.deadline().at(), due + options_.patience)));
    }
    delayed_.emplace(due, Delayed{std::move(exchange), std::move(reply.bytes), way});
  }
}

void DnsServer::Loop::malformed(std::string_view bytes, const std::string& problem, const DnsConnection& connection) {
  auto exchange = begin(DnsTransport::Tcp, connection.fd(), connection.client(), connection.local());
  exchange.answered = "nothing";
  exchange.problem = problem;
  exchange.excerpt = excerpt_of(bytes);
  {
    const std::scoped_lock lock(mutex_);
    ++counts_.malformed;
  }
  tell(exchange);
}

DnsExchange DnsServer::Loop::begin(DnsTransport transport, int fd, const Endpoint& client, const Endpoint& local) {
  DnsExchange exchange;
  exchange.number = ++number_;
  exchange.at = clock_.now();
  exchange.utc = clock_.utc_now();
  exchange.transport = transport;
  exchange.client = client;
  exchange.aimed_at = local;
  if (options_.original_destination)
    if (const auto original = options_.original_destination(fd, client, local); original && *original != local) {
      exchange.aimed_at = *original;
      exchange.redirected = true;
    }
  return exchange;
}

void DnsServer::Loop::finish(DnsExchange& exchange, const std::string& bytes, const Way& way) {
  exchange.fate = DnsExchange::Fate::Silent;
  if (!bytes.empty()) {
    if (auto problem = sent(bytes, way); problem.empty()) {
      exchange.fate = DnsExchange::Fate::Answered;
      exchange.answered_at = clock_.now();
    } else {
      exchange.fate = DnsExchange::Fate::Failed;
      exchange.problem = std::move(problem);
    }
  }
  tell(exchange);
}

// Why it could not be; empty: it was.
std::string DnsServer::Loop::sent(const std::string& bytes, const Way& way) {
  if (way.connection == 0) {
    const int failed = udp_[way.socket].send(way.datagram, bytes);
    return failed == 0 ? "" : fmt::format("the answer could not be sent: {}", std::strerror(failed));
  }
  const auto connection = connections_.find(way.connection);
  if (connection == connections_.end() || connection->second.broken()) return "the connection was closed before the answer was due";
  connection->second.send(bytes);
  return {};
}

void DnsServer::Loop::send_due() {
  while (!delayed_.empty() && delayed_.begin()->first <= clock_.now()) {
    auto delayed = std::move(delayed_.extract(delayed_.begin()).mapped());
    if (const auto connection = connections_.find(delayed.way.connection); connection != connections_.end()) --connection->second.waiting;
    finish(delayed.exchange, delayed.bytes, delayed.way);
  }
}

void DnsServer::Loop::tell(const DnsExchange& exchange) {
  {
    const std::scoped_lock lock(mutex_);
    using enum DnsExchange::Fate;
    if (exchange.fate == Answered) ++counts_.answered;
    if (exchange.fate == Silent) ++counts_.silent;
    if (exchange.fate == Failed) ++counts_.failed;
    counts_.queries = number_;
  }
  if (tell_) tell_(exchange);
}

void DnsServer::Loop::fail(const Error& error) {
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = error;
}

DnsCounts DnsServer::Loop::counts() const {
  const std::scoped_lock lock(mutex_);
  return counts_;
}

std::optional<Error> DnsServer::Loop::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

DnsServer::DnsServer(DnsSockets sockets, DnsNames& names, Tell tell, DnsServerOptions options)
    : loop_(std::make_unique<Loop>(std::move(sockets), names, rules_, silent_, std::move(tell), std::move(options))) {}
DnsServer::~DnsServer() = default;
DnsCounts DnsServer::counts() const { return loop_->counts(); }
std::optional<Error> DnsServer::failure() const { return loop_->failure(); }

}  // namespace hilcop::services
