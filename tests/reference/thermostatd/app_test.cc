// SPDX-License-Identifier: Apache-2.0
// All of the daemon's parts together, over its real TLS server.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "reference/thermostatd/rig.h"
#include "thermostatd/app.h"
#include "thermostatd/fd.h"
#include "thermostatd/files.h"

namespace ht1 {
namespace {

std::size_t collect(const char* data, std::size_t one, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, one * count);
  return one * count;
}

struct Got {
  CURLcode result;
  long status = 0;
  std::string body;
};

Got ask(const std::string& url, long tls = CURL_SSLVERSION_TLSv1_2, const std::string& body = "") {
  Got got{};
  CURL* curl = curl_easy_init();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, tls);
  curl_easy_setopt(curl, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &got.body);
  if (!body.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
  }
  got.result = curl_easy_perform(curl);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &got.status);
  curl_easy_cleanup(curl);
  return got;
}

std::string url(int port, const std::string& path) { return "https://127.0.0.1:" + std::to_string(port) + path; }

// What comes back to a datagram within 5 s.
std::string echo_of(int port) {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET, to.sin_port = htons(static_cast<std::uint16_t>(port)), to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::sendto(fd.get(), "?", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to), 1);
  pollfd answer{fd.get(), POLLIN, 0};
  char bytes[256];
  const auto n = ::poll(&answer, 1, 5000) > 0 ? ::recv(fd.get(), bytes, sizeof bytes, 0) : 0;
  return {bytes, static_cast<std::size_t>(n > 0 ? n : 0)};
}

TEST(Ht1App, StartsAnswersIsMarkedGoodAndEnds) {
  UnitFolder folder;
  BootState(folder.path() / "disk").change([](Variables& v) { v["BOOT_A_LEFT"] = "2"; });
  App app(folder.options());
  app.start();
  EXPECT_NE(folder.read("console").find("HT-1: READY version 1.1.0 slot A"), std::string::npos);
  EXPECT_EQ(BootState(folder.path() / "disk").read()["BOOT_A_LEFT"], "3");
  EXPECT_EQ(ask(url(app.port(), "/api/info")).body, R"({"model":"HT-1","setup":"open"})");
  EXPECT_NE(ask(url(app.port(), "/")).body.find("<h1>HT-1"), std::string::npos);
  EXPECT_EQ(ask(url(app.port(), "/api/state")).status, 401);
  // Who goes on sending may find the line closed before he reads why.
  const auto big = ask(url(app.port(), "/api/login"), CURL_SSLVERSION_TLSv1_3, std::string(70000, 'x'));
  EXPECT_TRUE(big.status == 413 || (big.result != CURLE_OK && big.status == 0)) << big.status;
  EXPECT_EQ(ask(url(app.port(), "/api/info")).status, 200);
  app.stop();
  EXPECT_EQ(app.wait(), App::End::Stopped);
}

TEST(Ht1App, OldTlsOnlyWithItsFlaw) {
  for (const bool flawed : {false, true}) {
    UnitFolder folder(flawed ? std::set<std::string>{"tls-1.0"} : std::set<std::string>{});
    App app(folder.options());
    app.start();
    EXPECT_EQ(ask(url(app.port(), "/api/info")).status, 200);
    const auto old = ask(url(app.port(), "/api/info"), CURL_SSLVERSION_TLSv1_0 + (CURL_SSLVERSION_TLSv1_0 << 16));
    EXPECT_EQ(old.result == CURLE_OK, flawed) << curl_easy_strerror(old.result);
  }
}

TEST(Ht1App, PlainHttpAndUdpOnlyWithTheirFlaws) {
  UnitFolder folder, other({"login-in-clear", "undeclared-udp"});
  App sound(folder.options()), flawed(other.options());
  sound.start();
  flawed.start();
  EXPECT_EQ(sound.plain_port(), 0);
  EXPECT_EQ(sound.udp_port(), 0);
  EXPECT_NE(echo_of(flawed.udp_port()).find("HT1-000042"), std::string::npos);
  EXPECT_EQ(ask("http://127.0.0.1:" + std::to_string(flawed.plain_port()) + "/api/info").status, 200);
}

TEST(Ht1App, AResetThatWasAskedForIsDoneAtTheStart) {
  UnitFolder folder;
  const auto options = folder.options();
  SealedStore(options.data / "sealed", read_unit(options.factory, options.fuses).fuse_key, Flaws()).put("token", "canary-token");
  BootState(options.disk).change([](Variables& v) { v["RESET"] = "1"; });
  App app(options);
  app.start();
  EXPECT_EQ(app.wait(), App::End::Reboot);
  EXPECT_EQ(BootState(options.disk).read()["RESET"], "2") << "the next start zeroes the partition";
  EXPECT_EQ(app.device().store.get("token"), std::nullopt);
}

TEST(Ht1App, ARecoveryThatGetsNoUpdateTriesTheSlotsAgain) {
  UnitFolder folder;
  auto options = folder.options();
  options.slot = "recovery";
  options.recovery_patience_s = 1;
  BootState(options.disk).change([](Variables& v) { v["BOOT_A_LEFT"] = v["BOOT_B_LEFT"] = "0"; });
  App app(options);
  app.start();
  EXPECT_EQ(app.wait(), App::End::Reboot);
  const auto after = BootState(options.disk).read();
  EXPECT_EQ(after.at("BOOT_A_LEFT"), "3");
  EXPECT_EQ(after.at("BOOT_B_LEFT"), "3");
}

TEST(Ht1App, AVersionBelowTheLeastGivesItsSlotUp) {
  UnitFolder folder;
  auto options = folder.options();
  options.version = "1.1.0";
  BootMarks(options).raise_min_version("1.2.0");
  App app(options);
  app.start();
  EXPECT_EQ(app.wait(), App::End::Reboot);
  EXPECT_EQ(BootState(options.disk).read().at("BOOT_A_LEFT"), "0");
}

}  // namespace
}  // namespace ht1
