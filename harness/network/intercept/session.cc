// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/write.hpp>
#include <utility>

#include "network/intercept/openssl_owned.h"
#include "network/intercept/peer_socket.h"

namespace hilcop {
namespace {

namespace asio = boost::asio;

Moment moment_now() { return {real_clock().now(), real_clock().utc_now()}; }

TcpAddress address_of_endpoint(const asio::ip::tcp::endpoint& endpoint) {
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return {address.to_string(), endpoint.port()};
}

}  // namespace

InterceptSession::InterceptSession(asio::ip::tcp::socket socket, InterceptShared& shared, std::uint64_t number)
    : shared_(shared),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      upper_(shared.options.http_status, [this](auto method, auto path) { return http_answer(method, path); }) {
  record_.number = number;
  record_.accepted = moment_now();
  latest_ = record_.accepted.steady + shared_.options.total;
  ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);  // Asio does not
  Code none;
  record_.client = address_of_endpoint(socket_.remote_endpoint(none));
  const auto& destination = shared_.options.destination_of;
  const int fd = socket_.native_handle();
  record_.aimed_at = (destination ? destination(fd) : original_destination(fd)).value_or(TcpAddress{});
  if (shared_.options.name_of_address) record_.name = shared_.options.name_of_address(record_.aimed_at.address);
  socket_.set_option(asio::ip::tcp::no_delay(true), none);
}

void InterceptSession::start() {
  shared_.aims(record_);
  limit(shared_.options.handshake);
  say(banner(true));
  read_hello();
}

void InterceptSession::limit(Nanoseconds span) {
  timer_.expires_at(std::min(real_clock().now() + span, latest_));
  timer_.async_wait([self = shared_from_this()](const Code& code) {
    // A wait whose time was put off after it was over comes here too.
    if (!code && real_clock().now() >= self->timer_.expiry()) self->end(ConnectionEnd::Deadline);
  });
}

void InterceptSession::end(ConnectionEnd how, const std::string& detail) {
  if (over_) return;
  // What the other side's kernel has not acknowledged the client cannot have refused.
  if ((how == ConnectionEnd::Close || how == ConnectionEnd::Reset) && tls_ && !record_.handshake_done && record_.flaw_shown) {
    const auto acknowledged = acknowledged_bytes(socket_.native_handle());
    if (acknowledged && *acknowledged < BIO_number_written(SSL_get_wbio(tls_->native_handle()))) record_.flaw_shown.reset();
  }
  judge(record_, how, shared_.certificates.has_trusted_ca(), detail);
  end_as(no_tls_ ? InterceptOutcome::NotTls : record_.outcome,
         no_tls_ ? "no TLS came, but something else; " + record_.cause : record_.cause);
}

void InterceptSession::end_as(InterceptOutcome outcome, const std::string& cause) {
  if (std::exchange(over_, true)) return;
  record_.outcome = outcome;
  record_.cause = cause;
  record_.ended = moment_now();
  timer_.cancel();
  Code none;
  socket_.close(none);
  if (!client_random_.empty() && shared_.options.on_secrets_over) shared_.options.on_secrets_over(client_random_);
  shared_.ended(std::move(record_));
}

void InterceptSession::read_hello() {
  socket_.async_read_some(asio::buffer(chunk_), [self = shared_from_this()](const Code& code, std::size_t size) {
    if (self->over_) return;
    if (code) return self->ended_by(code);
    const std::string_view bytes(self->chunk_.data(), size);
    switch (self->hello_reader_.take(bytes)) {
      case ClientHelloReader::State::Incomplete:
        return self->read_hello();
      case ClientHelloReader::State::TooLong:
        return self->end(ConnectionEnd::Bench, "its ClientHello is longer than 64 KiB");
      case ClientHelloReader::State::NotTls:
        self->no_tls_ = true;
        self->limit(self->shared_.options.first_data);
        self->heard(self->hello_reader_.bytes());
        return self->read_data();
      case ClientHelloReader::State::Complete:
        return self->hello_read();
    }
  });
}

void InterceptSession::hello_read() {
  record_.hello = hello_reader_.hello();
  record_.hello_read = moment_now();
  if (!record_.hello->server_name.empty()) record_.name = record_.hello->server_name;
  shared_.aims(record_);
  const auto which = shared_.plan.next(record_.name, record_.aimed_at);
  record_.given = which;
  if (!shared_.certificates.testable(which))
    return end_as(InterceptOutcome::NotTestable, "NOT TESTABLE without a CA that the device trusts: " + to_string(which));
  if (which == InterceptCase::Strip) return strip();
  try {
    shake_hands(which);
  } catch (const Error& error) {  // this host's OpenSSL cannot make what the case shows: the bench's fault, and told as such
    end(ConnectionEnd::Bench, error.what());
  }
}

void InterceptSession::shake_hands(InterceptCase which) {
  context_ = shared_.context_of(which, {record_.name, record_.aimed_at.address});
  tls_.emplace(socket_, *context_);
  observe(tls_->native_handle(), this);
  ERR_clear_error();
  tls_->async_handshake(asio::ssl::stream_base::server, asio::buffer(hello_reader_.bytes()),
                        [self = shared_from_this()](const Code& code, std::size_t) {
                          if (!self->over_) self->handshake_ended(code);
                        });
}

void InterceptSession::handshake_ended(const Code& code) {
  if (code) {
    const bool unread = code.category() == asio::error::get_ssl_category() && last_record_ == SSL3_RT_ALERT &&
                        ERR_GET_REASON(static_cast<unsigned long>(code.value())) == SSL_R_WRONG_VERSION_NUMBER;
    if (const auto alert = unread ? take_unread_alert(tls_->native_handle()) : std::nullopt) alert_received(alert->code, alert->fatal);
    return ended_by(code);
  }
  record_.handshake_done = moment_now();
  record_.encrypted = true;
  note_agreement();
  limit(shared_.options.first_data);
  say(banner(false));
  read_data();
}

void InterceptSession::strip() {
  stripped_ = true;
  record_.flaw_shown = moment_now();
  limit(shared_.options.first_data);
  const auto text = banner(false);
  say(!text.empty() ? text
                    : fmt::format("HTTP/1.1 {} Bench\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", shared_.options.http_status));
  read_data();
}

std::string InterceptSession::banner(bool at_once) const {
  for (const auto& banner : shared_.options.banners)
    if (banner.at_once == at_once && banner.target.met_by(record_.name, record_.aimed_at)) return banner.text;
  return "";
}

std::optional<PlannedAnswer> InterceptSession::http_answer(std::string_view method, std::string_view path) const {
  if (method == "GET" && shared_.list && path == shared_.list_path) return PlannedAnswer{200, "application/pkix-crl", shared_.list()};
  return shared_.plan.answer_to(record_.name, record_.aimed_at, path);
}

ConnectionEnd InterceptSession::kind_of(const Code& code) const {
  const bool alerted = !record_.alerts.empty() && record_.alerts.back().code != SSL_AD_CLOSE_NOTIFY;
  if (alerted) return ConnectionEnd::Alert;
  if (!record_.alerts.empty()) return ConnectionEnd::CloseNotify;
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated) return ConnectionEnd::Close;
  if (code.category() != asio::error::get_ssl_category()) return ConnectionEnd::Reset;
  switch (ERR_GET_REASON(static_cast<unsigned long>(code.value()))) {
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
      return ConnectionEnd::NoAgreement;
    default:
      return ConnectionEnd::Broken;
  }
}

void InterceptSession::ended_by(const Code& code) { end(kind_of(code), code.message()); }

void InterceptSession::read_data() {
  const auto handler = [self = shared_from_this()](const Code& code, std::size_t size) {
    if (self->over_) return;
    if (size > 0) self->heard({self->chunk_.data(), size});
    if (self->over_) return;
    if (code) return self->ended_by(code);
    self->read_data();
  };
  if (tls_)
    tls_->async_read_some(asio::buffer(chunk_), handler);
  else
    socket_.async_read_some(asio::buffer(chunk_), handler);
}

void InterceptSession::heard(std::string_view bytes) {
  if (stripped_ && !heard_in_strip(bytes)) return;
  if (stripped_) bytes = after_strip_;
  limit(shared_.options.more_data);
  keep(bytes);
  say(upper_.answer(bytes));
  after_strip_.clear();
  if (record_.data_cut) end(ConnectionEnd::Bench, "64 KiB of data are kept, and more came");
}

// Whether data has come in plain text. A client that goes on with TLS has not taken the bait; its alert may say so.
bool InterceptSession::heard_in_strip(std::string_view bytes) {
  if (!record_.data.empty()) return after_strip_ = bytes, true;
  after_strip_ += bytes.substr(0, kMostData - std::min(after_strip_.size(), kMostData));
  const auto at = [this](std::size_t index) { return static_cast<unsigned char>(after_strip_[index]); };
  const bool may_be_record = at(0) >= 20 && at(0) <= 23 && (after_strip_.size() < 2 || at(1) == 3);
  if (!may_be_record) return true;
  if (after_strip_.size() >= 7 && at(0) == 21 && record_.alerts.empty()) alert_received(at(6), at(5) == SSL3_AL_FATAL);
  return false;
}

void InterceptSession::keep(std::string_view bytes) {
  const auto kept = bytes.substr(0, kMostData - record_.data.size());
  if (kept.size() < bytes.size()) record_.data_cut = true;
  if (kept.empty()) return;
  if (record_.pieces.size() < kMostPieces) record_.pieces.push_back({moment_now(), record_.data.size()});
  record_.data += kept;
}

void InterceptSession::say(const std::string& text) {
  to_say_ += text;
  if (saying_.empty()) write_on();
}

void InterceptSession::write_on() {
  saying_ = std::exchange(to_say_, {});
  if (saying_.empty()) return;
  // Where it fails the reader learns why, after whatever the client had sent before.
  const auto handler = [self = shared_from_this()](const Code& code, std::size_t) {
    if (!code && !self->over_) self->write_on();
  };
  if (tls_)
    asio::async_write(*tls_, asio::buffer(saying_), handler);
  else
    asio::async_write(socket_, asio::buffer(saying_), handler);
}

void InterceptSession::alert_received(int code, bool fatal) {
  if (record_.alerts.size() >= kMostAlerts) record_.alerts.pop_back();  // the last one tells how it ended
  record_.alerts.push_back({code, fatal, alert_name(code)});
}

void InterceptSession::certificate_shown() {
  if (!record_.flaw_shown) record_.flaw_shown = moment_now();
  note_agreement();
}

void InterceptSession::note_agreement() {
  const auto agreed = agreement_of(tls_->native_handle());
  record_.version = agreed.version;
  record_.cipher = agreed.cipher;
}

void InterceptSession::secrets(std::string_view line) {
  if (!shared_.options.on_secrets) return;
  const auto label = line.find(' ');
  if (label != std::string_view::npos) client_random_ = line.substr(label + 1, line.find(' ', label + 1) - label - 1);
  shared_.options.on_secrets(std::string(line) + "\n");
}

}  // namespace hilcop
