// SPDX-License-Identifier: Apache-2.0
// The private keys of a unit: on flash only sealed, opened by its own fuses, and still of use to its TLS and to its cloud.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>

#include "reference/thermostatd/rig.h"
#include "thermostatd/crypto.h"
#include "thermostatd/error.h"
#include "thermostatd/fd.h"
#include "thermostatd/files.h"
#include "thermostatd/https_client.h"
#include "thermostatd/owned.h"

namespace ht1 {
namespace {

Owned<X509> certificate_of(const std::string& pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<X509>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Owned<EVP_PKEY> parsed_key(const std::string& pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

// Answers one request with 200, of a client only that has a certificate of `maker`; then `shown` is the common name in it.
class Asking {
 public:
  explicit Asking(const Certificate& maker)
      : own_(make_certificate("cloud.ht1.example", &maker)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto ca = certificate_of(maker.certificate), own = certificate_of(own_.certificate);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca.get());
    SSL_CTX_use_certificate(context_.get(), own.get());
    SSL_CTX_use_PrivateKey(context_.get(), parsed_key(own_.key).get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    sockaddr_in at{};
    at.sin_family = AF_INET, at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listening_.get(), reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listening_.get(), 4) != 0) return;
    ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Asking() {
    ::shutdown(listening_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  int port = 0;
  std::string shown;  // once the client has its answer

 private:
  void serve() {
    const Fd line(::accept(listening_.get(), nullptr, nullptr));
    if (!line) return;
    const timeval limit{10, 0};
    ::setsockopt(line.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const Owned<SSL> tls(SSL_new(context_.get()));
    SSL_set_fd(tls.get(), line.get());
    if (SSL_accept(tls.get()) != 1) return;
    char bytes[4096];
    if (SSL_read(tls.get(), bytes, sizeof bytes) <= 0) return;
    const Owned<X509> client(SSL_get1_peer_certificate(tls.get()));
    X509_NAME_get_text_by_NID(X509_get_subject_name(client.get()), NID_commonName, bytes, sizeof bytes);
    shown = bytes;
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    SSL_write(tls.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
    SSL_shutdown(tls.get());
  }

  Certificate own_;
  Fd listening_;
  Owned<SSL_CTX> context_{SSL_CTX_new(TLS_server_method())};
  std::thread thread_;
};

Unit unit_of(const UnitFolder& folder) { return read_unit(folder.options().factory, folder.options().fuses); }

TEST(Ht1Keys, OnlyThisUnitsFusesOpenThem) {
  UnitFolder folder, other;
  const Unit unit = unit_of(folder);
  for (const char* name : {"tls.key", "device.key"}) EXPECT_TRUE(parsed_key(unit.private_key(name))) << name;
  Unit stranger = unit;
  stranger.fuse_key = unit_of(other).fuse_key;
  EXPECT_THROW(stranger.private_key("tls.key"), Failure);
  const auto sealed = folder.options().factory / "sealed";
  auto bytes = read_file(sealed / "tls.key");
  write_file(sealed / "device.key", bytes);
  EXPECT_THROW(unit.private_key("device.key"), Failure) << "one in the other's place";
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  write_file(sealed / "tls.key", bytes);
  EXPECT_THROW(unit.private_key("tls.key"), Failure);
}

TEST(Ht1Keys, NoFileHoldsThemUnlessTheFlawDoes) {
  for (const bool flawed : {false, true}) {
    UnitFolder folder(flawed ? std::set<std::string>{"keys-in-clear"} : std::set<std::string>{});
    EXPECT_TRUE(parsed_key(unit_of(folder).private_key("tls.key")));
    int found = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
      if (entry.is_regular_file() && read_file(entry.path()).find("PRIVATE KEY") != std::string::npos) ++found;
    EXPECT_EQ(found, flawed ? 2 : 0);
  }
}

TEST(Ht1Keys, TheDeviceShowsItsCertificateToItsCloud) {
  for (const bool flawed : {false, true}) {
    UnitFolder folder(flawed ? std::set<std::string>{"keys-in-clear"} : std::set<std::string>{});
    const Unit unit = unit_of(folder);
    const std::atomic<bool> stop = false;
    Options options = folder.options();
    const auto post = [&](int port, HttpsClient::As as) {
      options.resolve["cloud.ht1.example"] = {"127.0.0.1", port};
      return HttpsClient(options, unit, stop).post("https://cloud.ht1.example/v1/register", "{}", "", as).status;
    };
    Asking cloud(folder.maker), again(folder.maker);
    EXPECT_EQ(post(cloud.port, HttpsClient::As::Device), 200);
    EXPECT_EQ(cloud.shown, "HT1-000042");
    EXPECT_THROW(post(again.port, HttpsClient::As::Anybody), Failure) << "the control: without a certificate there is no answer";
  }
}

}  // namespace
}  // namespace ht1
