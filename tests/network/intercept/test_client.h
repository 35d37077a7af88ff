// SPDX-License-Identifier: Apache-2.0
// Clients of a test's own: OpenSSL over a socket that can also be used by hand. What blocks gives up after 10 s.
#pragma once
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <csignal>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "network/intercept/loopback.h"

namespace hilcop {

class TestClient {
 public:
  explicit TestClient(int port, const std::string& name = "cloud.example", int version = TLS1_3_VERSION) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL: to a connection that the bench has closed, too
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    tls_.reset(SSL_new(context_.get()), SSL_free);
    if (!name.empty()) SSL_set_tlsext_host_name(tls_.get(), name.c_str());
    const int one = 1;
    fd_ = connected_to_loopback(port);  // the last that takes its time: the bench's limits run from here
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  int fd() const { return fd_.get(); }
  /// From now on its kernel drops whatever comes, and acknowledges none of it.
  void hear_nothing() const {
    sock_filter drop{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &drop};
    ASSERT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  }
  SSL* tls() const { return tls_.get(); }
  bool shake_hands() {
    SSL_set_fd(tls_.get(), fd_.get());
    return SSL_connect(tls_.get()) == 1;
  }
  bool send(const std::string& text) { return SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) > 0; }
  std::string receive() {
    std::string text(4096, '\0');
    const int size = SSL_read(tls_.get(), text.data(), static_cast<int>(text.size()));
    return text.substr(0, static_cast<std::size_t>(size > 0 ? size : 0));
  }
  /// The ClientHello that it would begin with, not sent.
  std::string hello() {
    BIO* const out = BIO_new(BIO_s_mem());
    SSL_set_bio(tls_.get(), BIO_new(BIO_s_mem()), out);
    SSL_connect(tls_.get());
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }
  bool send_plain(const std::string& bytes) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  std::string receive_plain() {
    std::string text(4096, '\0');
    const auto size = ::recv(fd_.get(), text.data(), text.size(), 0);
    return text.substr(0, static_cast<std::size_t>(size > 0 ? size : 0));
  }
  void close() { fd_.reset(); }
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd_.reset();
  }

 private:
  UniqueFd fd_;
  std::shared_ptr<SSL_CTX> context_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::shared_ptr<SSL> tls_;
};

}  // namespace hilcop
