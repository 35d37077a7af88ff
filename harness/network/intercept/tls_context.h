// SPDX-License-Identifier: Apache-2.0
// OpenSSL's side of a connection: a context for a case, and what is to be heard of a handshake. For the .cc files of this folder alone.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/intercept/case_certificates.h"
#include "network/intercept/intercepted_connection.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX
struct ssl_st;      // OpenSSL's SSL

namespace hilcop {

/// Hears of one handshake while OpenSSL works on it: it must neither throw nor touch that connection from within.
class TlsObserver {
 public:
  virtual ~TlsObserver() = default;
  virtual void alert_received(int code, bool fatal) = 0;
  virtual void certificate_shown() = 0;    // handed over to be sent
  virtual void record_came(int type) = 0;  // its head: 21 is an alert
  virtual void secrets(std::string_view line) = 0;
};

/// `tls` must go before the observer does.
void observe(ssl_st* tls, TlsObserver* observer);
/// "unknown CA"
std::string alert_name(int code);
/// A client that does not take the version answers by an alert in a record of its own version. OpenSSL then ends without a look at it: it
/// is what the first two bytes that are still unread say. To be asked after that error alone; takes them.
std::optional<ClientAlert> take_unread_alert(ssl_st* tls);
/// What was agreed on, as soon as it was: "TLSv1.3", "ECDHE-RSA-AES128-SHA".
struct TlsAgreement {
  std::string version, cipher;
};
TlsAgreement agreement_of(const ssl_st* tls);

/// A server's context: no tickets, no sessions, no renegotiation, so that each connection is one whole handshake. It owns what it shows.
/// Throws Error{Unsupported} where this OpenSSL cannot do what the case needs.
std::shared_ptr<ssl_ctx_st> make_tls_context(InterceptCase which, std::vector<ServedCertificate> certificates);

}  // namespace hilcop
