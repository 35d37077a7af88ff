// SPDX-License-Identifier: Apache-2.0
// One connection to the interceptor. Asio and OpenSSL come with it: for the two .cc files that need them.
#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "network/intercept/interceptor.h"
#include "network/intercept/judgement.h"
#include "network/intercept/tls_context.h"
#include "network/intercept/upper_protocol.h"

namespace hilcop {

/// What all sessions of an interceptor share; lives longer than they do.
struct InterceptShared {
  const InterceptOptions& options;
  InterceptPlan& plan;
  const CaseCertificates& certificates;
  std::function<std::shared_ptr<boost::asio::ssl::context>(InterceptCase, const CertificateFor&)> context_of;
  std::function<void(const InterceptedConnection&)> aims;
  std::function<void(InterceptedConnection)> ended;  // once for each
  std::string list_path;                             // where the list of those revoked is
  std::function<std::string()> list;                 // which it is now
};

class InterceptSession final : public std::enable_shared_from_this<InterceptSession>, private TlsObserver {
 public:
  static constexpr std::size_t kMostData = 64 * 1024, kMostPieces = 1024, kMostAlerts = 8;

  InterceptSession(boost::asio::ip::tcp::socket socket, InterceptShared& shared, std::uint64_t number);
  ~InterceptSession() override = default;
  void start();
  /// Ends it now, whatever it was doing. Does nothing a second time.
  void end(ConnectionEnd how, const std::string& detail = "");

 private:
  using Code = boost::system::error_code;
  void alert_received(int code, bool fatal) override;
  void certificate_shown() override;
  void record_came(int type) override { last_record_ = type; }
  void secrets(std::string_view line) override;

  void note_agreement();
  void end_as(InterceptOutcome outcome, const std::string& cause);
  void limit(Nanoseconds span);
  void read_hello();
  void hello_read();
  void strip();
  void shake_hands(InterceptCase which);
  void handshake_ended(const Code& code);
  ConnectionEnd kind_of(const Code& code) const;
  void ended_by(const Code& code);
  std::string banner(bool at_once) const;
  std::optional<PlannedAnswer> http_answer(std::string_view method, std::string_view path) const;
  void read_data();
  void heard(std::string_view bytes);
  bool heard_in_strip(std::string_view bytes);
  void keep(std::string_view bytes);
  void say(const std::string& text);
  void write_on();

  InterceptShared& shared_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  SteadyTime latest_{};
  InterceptedConnection record_;
  ClientHelloReader hello_reader_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  UpperProtocol upper_;
  std::array<char, 4096> chunk_;
  std::string to_say_, saying_, after_strip_;
  std::string client_random_;  // as its secrets have it
  int last_record_ = 0;
  bool no_tls_ = false, stripped_ = false, over_ = false;
};

}  // namespace hilcop
