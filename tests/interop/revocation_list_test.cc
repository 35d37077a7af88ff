// SPDX-License-Identifier: Apache-2.0
// A client that fetches the list its certificate names, which is the bench's too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "network/intercept/interceptor.h"
#include "network/intercept/loopback.h"

namespace hilcop {
namespace {

using enum InterceptCase;
using enum InterceptOutcome;
using testing::HasSubstr;

class RevocationListTest : public testing::Test {
 protected:
  RevocationListTest() { std::ofstream(dir_ / "ca.pem") << ca_.pem(); }

  InterceptOptions options() const {
    InterceptOptions options;
    options.more_data = 300ms;
    options.list_url = list_;
    return options;
  }
  InterceptedConnection called(InterceptCase which) {
    interceptor_.plan().set_default(which);
    const auto since = real_clock().now();
    ProcessOptions client;
    client.program = "/bin/sh";
    client.arguments = {"-c",
                        "printf secret | openssl s_client -quiet -verify_return_error -crl_check -crl_download "
                        "-CAfile $CA -servername localhost -connect localhost:$PORT"};
    client.environment = {{"PORT", std::to_string(server_.second)}, {"CA", dir_ / "ca.pem"}};
    client.capture_output = true;
    said_ = run_process(client, Deadline::in(20s)).output;
    return interceptor_.wait_for({.server_name = "localhost"}, Deadline::in(20s), since);
  }

  TempDir dir_;
  std::pair<UniqueFd, int> server_ = listening_on_loopback();
  std::string list_ = "http://127.0.0.1:" + std::to_string(server_.second) + "/revoked.crl";
  Certificate ca_ = make_authority("the lab's CA", real_clock().utc_now());
  std::vector<UniqueFd> sockets_ = [this] {
    std::vector<UniqueFd> one;
    one.push_back(std::move(server_.first));
    return one;
  }();
  Interceptor interceptor_{std::move(sockets_), CaseCertificates(ca_, list_), Sound, options()};
  std::string said_;
};

TEST_F(RevocationListTest, IsServedToWhoFetchesIt) {
  const auto control = called(Sound);
  ASSERT_EQ(control.outcome, SentApplicationData) << control.cause << "\n" << said_;
  EXPECT_EQ(control.data, "secret");
  EXPECT_FALSE(control.hello->asks_for_staple) << "it knows by the list alone";
  const auto refused = called(Revoked);
  EXPECT_EQ(refused.outcome, RefusedInHandshake) << refused.cause << "\n" << said_;
  EXPECT_THAT(said_, HasSubstr("certificate revoked"));
  EXPECT_EQ(called(Sound).outcome, SentApplicationData) << said_;
  int fetched = 0;
  for (const auto& one : interceptor_.ended()) fetched += one.outcome == NotTls && one.data.starts_with("GET /revoked.crl HTTP/1.");
  EXPECT_GE(fetched, 3);
}

}  // namespace
}  // namespace hilcop
