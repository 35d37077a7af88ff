// SPDX-License-Identifier: Apache-2.0
// ntpsec's ntpdig and Python's ntplib as clients of our time server. The program ntpdig asks port 123 alone; its own function takes a port.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "fakes/loopback_socket.h"
#include "fakes/told.h"
#include "io/child_process.h"
#include "network/services/ntp_server.h"

namespace hilcop::services {
namespace {

using testing::HasSubstr;
using NtpKind = NtpBehaviour::Kind;

const std::string kNtpdig = R"(
import importlib.machinery, importlib.util, shutil, socket, sys
loader = importlib.machinery.SourceFileLoader("ntpdig", shutil.which("ntpdig"))
ntpdig = importlib.util.module_from_spec(importlib.util.spec_from_loader("ntpdig", loader))
loader.exec_module(ntpdig)
ntpdig.af, ntpdig.gap, ntpdig.debug = socket.AF_INET, 0, 0
ntpdig.keyid = ntpdig.keytype = ntpdig.passwd = ntpdig.credentials = None
ntpdig.log, ntpdig.server = lambda text: print(text), "127.0.0.1"
found = ntpdig.clock_select(ntpdig.queryhost("127.0.0.1", False, 10, int(sys.argv[1])))
for packet in found:
    packet.posixize()
    print("offset %.3f delay %.3f stratum %d" % (packet.adjust(), packet.delta(), packet.stratum))
)";

const std::string kNtplib = R"(
import ntplib, sys
answer = ntplib.NTPClient().request("127.0.0.1", version=int(sys.argv[2]), port=int(sys.argv[1]), timeout=10)
print("offset %.3f delay %.3f version %d stratum %d leap %d id %s" % (
    answer.offset, answer.delay, answer.version, answer.stratum, answer.leap, answer.ref_id.to_bytes(4, "big").decode()))
)";

class NtpClientsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto socket = bound_socket(SOCK_DGRAM, ipv4_address("127.0.0.1", 0));
    ASSERT_TRUE(socket);
    port_ = port_of(*socket);
    server_.emplace(std::move(*socket), told_.listener());
  }
  std::string python(const std::string& program, const std::string& argument = "") const {
    ProcessOptions options;
    options.program = "/usr/bin/python3";
    options.arguments = {"-c", program, std::to_string(port_), argument};
    options.environment = {{"PYTHONDONTWRITEBYTECODE", "1"}};
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(60s));
    EXPECT_EQ(result.status.code, 0) << result.output;
    return result.output;
  }
  /// The rest of what a client said. By how much its offset is uncertain it says too: by half of the time that its question took.
  static std::string after_offset(const std::string& said, double expected) {
    std::istringstream words(said);
    std::string word, rest;
    double offset = 0, delay = 0;
    EXPECT_TRUE(words >> word >> offset >> word >> delay >> std::ws && std::getline(words, rest)) << said;
    EXPECT_NEAR(offset, expected, delay / 2 + 0.05) << said;
    return rest;
  }
  Told<NtpExchange> told_;
  int port_ = 0;
  std::optional<NtpServer> server_;
};

TEST_F(NtpClientsTest, TakeTheTimeThatIsShown) {
  EXPECT_EQ(after_offset(python(kNtpdig), 0), "stratum 1");
  EXPECT_EQ(after_offset(python(kNtplib, "3"), 0), "version 3 stratum 1 leap 0 id HILC");
  server_->set({.offset = -std::chrono::milliseconds(std::chrono::years(10)) - 500ms});
  EXPECT_EQ(after_offset(python(kNtpdig), -315569520.5), "stratum 1");
  EXPECT_THAT(after_offset(python(kNtplib, "4"), -315569520.5), testing::StartsWith("version 4"));
  server_->set({.offset = 1h, .step = -2h, .step_after = 1});
  EXPECT_EQ(after_offset(python(kNtpdig), 3600), "stratum 1");
  EXPECT_EQ(after_offset(python(kNtpdig), -3600), "stratum 1");
  const auto told = told_.wait_for(6);
  for (const auto& exchange : told) EXPECT_EQ(exchange.fate, NtpExchange::Fate::Answered) << exchange.problem;
  EXPECT_EQ(told[1].version, 3);
}

TEST_F(NtpClientsTest, DoNotTakeWhatIsNoTime) {
  server_->set({.kind = NtpKind::KissOfDeath, .kiss = "DENY"});
  EXPECT_THAT(python(kNtpdig), HasSubstr("stratum 0, probable KOD packet"));
  EXPECT_THAT(python(kNtplib, "4"), HasSubstr("stratum 0 leap 3 id DENY"));
  server_->set({.kind = NtpKind::Stratum16});
  EXPECT_THAT(python(kNtpdig), HasSubstr("stratum too high"));
}

}  // namespace
}  // namespace hilcop::services
