// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/interceptor.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <thread>
#include <utility>

#include "base/error.h"
#include "network/intercept/connection_log.h"
#include "network/intercept/session.h"

namespace hilcop {
namespace {

using boost::asio::ip::tcp;

// A device with a thousand names, or one that makes them up, must not fill the memory.
constexpr std::size_t kMostContexts = 64;

tcp protocol_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int listens = 0;
  socklen_t int_size = sizeof listens;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) throw error_from_errno(errno, "interceptor", "use its socket");
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) != 0 || listens == 0)
    throw Error(ErrorKind::Config, "interceptor", "a socket that it is to serve does not listen", "give it sockets after listen(2)");
  return address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
}

}  // namespace

class Interceptor::Impl {
 public:
  Impl(std::vector<UniqueFd> listening, CaseCertificates certificates, InterceptCase otherwise, InterceptOptions options)
      : options_(std::move(options)), certificates_(std::move(certificates)), plan(otherwise) {
    if (!options_.list_url.empty()) {
      shared_.list_path = options_.list_url.substr(options_.list_url.find('/', options_.list_url.find("://") + 3));
      shared_.list = [this] { return certificates_.revocation_list(); };
    }
    for (auto& fd : listening) {
      const auto protocol = protocol_of(fd.get());
      boost::system::error_code code;
      acceptors_.emplace_back(io_).assign(protocol, fd.get(), code);
      if (code) throw error_from_errno(code.value(), "interceptor", "watch its socket");
      (void)fd.release();  // the acceptor's now
    }
    for (auto& acceptor : acceptors_) accept(acceptor);
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    boost::asio::post(io_, [this] {
      acceptors_.clear();
      const auto sessions = std::exchange(sessions_, {});
      for (const auto& [number, session] : sessions) session->end(ConnectionEnd::Bench, "the interception is over");
      io_.stop();
    });
    thread_.join();
  }

  // What a session shares: declared before what destroys sessions.
  const InterceptOptions options_;
  const CaseCertificates certificates_;
  InterceptPlan plan;
  ConnectionLog log;

 private:
  using Key = std::tuple<InterceptCase, std::string, std::string>;
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  void accept(tcp::acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](const boost::system::error_code& code, tcp::socket socket) {
      if (code == boost::asio::error::operation_aborted) return;
      if (!code) begin(std::move(socket));
      if (!code || code == boost::asio::error::connection_aborted) return accept(acceptor);
      log.accept_failed();
      const auto later = std::make_shared<boost::asio::steady_timer>(io_, 50ms);
      later->async_wait([this, &acceptor, later](const boost::system::error_code& over) {
        if (!over) accept(acceptor);
      });
    });
  }

  void begin(tcp::socket socket) {
    const auto number = ++last_number_;
    log.came(number);
    const auto session = std::make_shared<InterceptSession>(std::move(socket), shared_, number);
    if (sessions_.size() >= options_.most_connections) {
      log.turned_away();
      return session->end(ConnectionEnd::Bench, "more connections at once than the bench serves");
    }
    sessions_[number] = session;
    session->start();
  }

  Context context_of(InterceptCase which, const CertificateFor& whom) {
    const Key key(which, whom.name, whom.address);
    if (const auto found = contexts_.find(key); found != contexts_.end()) return found->second;
    const auto made = make_tls_context(which, certificates_.make(which, whom));
    SSL_CTX_up_ref(made.get());  // Asio's context owns one, too
    auto context = std::make_shared<boost::asio::ssl::context>(made.get());
    if (contexts_.size() >= kMostContexts) contexts_.clear();
    return contexts_[key] = context;
  }

  void ended(InterceptedConnection connection) {
    sessions_.erase(connection.number);
    if (options_.on_connection) options_.on_connection(connection);
    log.ended(std::move(connection));
  }

  boost::asio::io_context io_{1};
  std::vector<tcp::acceptor> acceptors_;
  std::map<Key, Context> contexts_;
  std::map<std::uint64_t, std::shared_ptr<InterceptSession>> sessions_;
  std::uint64_t last_number_ = 0;
  InterceptShared shared_{options_,
                          plan,
                          certificates_,
                          [this](InterceptCase which, const CertificateFor& whom) { return context_of(which, whom); },
                          [this](const InterceptedConnection& connection) { log.aims(connection); },
                          [this](InterceptedConnection connection) { ended(std::move(connection)); },
                          {},
                          {}};
  std::thread thread_;
};

Interceptor::Interceptor(std::vector<UniqueFd> listening, CaseCertificates certificates, InterceptCase otherwise, InterceptOptions options)
    : impl_(std::make_unique<Impl>(std::move(listening), std::move(certificates), otherwise, std::move(options))) {}
Interceptor::~Interceptor() = default;

InterceptPlan& Interceptor::plan() { return impl_->plan; }
InterceptedConnection Interceptor::wait_for(const InterceptTarget& target, Deadline deadline, SteadyTime since) {
  return impl_->log.wait_for(target, deadline, since);
}
std::vector<InterceptedConnection> Interceptor::ended(const InterceptTarget& target, SteadyTime since) const {
  return impl_->log.all(target, since);
}
std::size_t Interceptor::going(const InterceptTarget& target, SteadyTime since) const { return impl_->log.going(target, since); }

InterceptCounts Interceptor::counts() const { return impl_->log.counts(); }

}  // namespace hilcop
