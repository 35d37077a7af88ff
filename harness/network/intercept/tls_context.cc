// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/tls_context.h"

#include <openssl/ssl.h>

#include <utility>

#include "network/intercept/byte_cursor.h"
#include "network/intercept/openssl_owned.h"

namespace hilcop {
namespace {

// Of our own: Asio keeps something in the "application data" of both, and deletes it.
int observer_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

using Served = std::vector<ServedCertificate>;
void free_served(void*, void* served, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Served*>(served); }
int served_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_served);
  return index;
}

TlsObserver* observer_of(const SSL* tls) { return static_cast<TlsObserver*>(SSL_get_ex_data(tls, observer_index())); }

void on_info(const SSL* tls, int where, int value) {
  auto* const observer = observer_of(tls);
  if (observer != nullptr && (where & SSL_CB_ALERT) != 0 && (where & SSL_CB_READ) != 0)
    observer->alert_received(value & 0xff, value >> 8 == SSL3_AL_FATAL);
}

void on_message(int written, int, int content, const void* bytes, std::size_t size, SSL* tls, void*) {
  auto* const observer = observer_of(tls);
  if (observer != nullptr && written == 0 && content == SSL3_RT_HEADER && size > 0)
    observer->record_came(static_cast<const unsigned char*>(bytes)[0]);
  if (observer != nullptr && written != 0 && content == SSL3_RT_HANDSHAKE && size > 0 &&
      static_cast<const unsigned char*>(bytes)[0] == SSL3_MT_CERTIFICATE)
    observer->certificate_shown();
}

void on_key(const SSL* tls, const char* line) {
  if (auto* const observer = observer_of(tls)) observer->secrets(line);
}

// Nothing that the upper protocols here do not speak: of HTTP the first, else the client's own first.
int on_alpn(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned offered_size, void*) {
  const std::string_view wanted = "http/1.1";
  std::span<const std::byte> first, best;
  for (ByteCursor list(std::as_bytes(std::span(offered, offered_size))); list.ok() && !list.rest().empty();) {
    const auto one = list.field(1);
    const auto name = text_of_bytes(one);
    if (name == wanted) best = one;
    if (first.empty() && !one.empty() && name != "h2" && name != "h3") first = one;
  }
  if (best.empty()) best = first;
  if (best.empty()) return SSL_TLSEXT_ERR_NOACK;
  *chosen = reinterpret_cast<const unsigned char*>(best.data());
  *size = static_cast<unsigned char>(best.size());
  return SSL_TLSEXT_ERR_OK;
}

int on_status_request(SSL* tls, void*) {
  const auto* const served = static_cast<const Served*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), served_index()));
  const X509* const shown = SSL_get_certificate(tls);
  for (const auto& [leaf, staple] : *served)
    if (leaf.x509.get() == shown && !staple.empty()) {
      SSL_set_tlsext_status_ocsp_resp(tls, OPENSSL_memdup(staple.data(), staple.size()), static_cast<long>(staple.size()));
      return SSL_TLSEXT_ERR_OK;
    }
  return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

void observe(SSL* tls, TlsObserver* observer) { SSL_set_ex_data(tls, observer_index(), observer); }

std::string alert_name(int code) { return SSL_alert_desc_string_long(code); }

std::optional<ClientAlert> take_unread_alert(SSL* tls) {
  std::array<unsigned char, 2> alert{};
  if (BIO_read(SSL_get_rbio(tls), alert.data(), alert.size()) != 2) return std::nullopt;
  if (alert[0] != SSL3_AL_WARNING && alert[0] != SSL3_AL_FATAL) return std::nullopt;
  return ClientAlert{alert[1], alert[0] == SSL3_AL_FATAL, alert_name(alert[1])};
}

TlsAgreement agreement_of(const SSL* tls) {
  // A cipher is pending until both sides say "change cipher spec".
  const SSL_CIPHER* cipher = SSL_get_current_cipher(tls);
  if (cipher == nullptr) cipher = SSL_get_pending_cipher(tls);
  return {SSL_get_version(tls), cipher == nullptr ? "" : SSL_CIPHER_get_name(cipher)};
}

std::shared_ptr<SSL_CTX> make_tls_context(InterceptCase which, std::vector<ServedCertificate> certificates) {
  const auto& facts = facts_of(which);
  std::shared_ptr<SSL_CTX> made(openssl_must(SSL_CTX_new(TLS_server_method()), "TLS"), SSL_CTX_free);
  SSL_CTX* const tls = made.get();
  SSL_CTX_set_security_level(tls, 0);
  openssl_must(SSL_CTX_set_min_proto_version(tls, facts.version != 0 ? facts.version : TLS1_VERSION), "TLS version");
  const int highest = facts.version != 0 ? facts.version : facts.at_most;
  openssl_must(SSL_CTX_set_max_proto_version(tls, highest != 0 ? highest : TLS1_3_VERSION), "TLS version");
  openssl_must(SSL_CTX_set_cipher_list(tls, facts.ciphers), "cipher suites");
  SSL_CTX_set_dh_auto(tls, 1);
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_num_tickets(tls, 0);
  for (const auto& [leaf, staple] : certificates) {
    const Owned<STACK_OF(X509), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }> above(openssl_must(sk_X509_new_null(), "chain"));
    for (const auto& one : leaf.above) openssl_must(sk_X509_push(above.get(), one.get()), "chain");
    openssl_must(SSL_CTX_use_cert_and_key(tls, leaf.x509.get(), leaf.key.get(), above.get(), 1), "certificate");
  }
  SSL_CTX_set_ex_data(tls, served_index(), new Served(std::move(certificates)));
  SSL_CTX_set_tlsext_status_cb(tls, on_status_request);
  SSL_CTX_set_info_callback(tls, on_info);
  SSL_CTX_set_msg_callback(tls, on_message);
  SSL_CTX_set_keylog_callback(tls, on_key);
  SSL_CTX_set_alpn_select_cb(tls, on_alpn, nullptr);
  return made;
}

}  // namespace hilcop
