// SPDX-License-Identifier: Apache-2.0
// login() against transcripts of what devices say, at any chunking.
#include <gmock/gmock.h>

#include "console/cksum.h"
#include "console_fixture.h"
#include "fakes/scripted_stream.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

class LoginTest : public ConsoleTest {
 protected:
  LoginTest() { options_.shell = ShellFraming{"# $", "root", "board", "login: *$", "[Pp]assword: *$"}; }

  Console& open_with(std::unique_ptr<ScriptedStream> script) {
    loop_ = IoLoop::start();
    console_ = Console::open(arriving(std::move(script)), options_, *loop_, sink_);
    return *console_;
  }
  // run("true"): what the shell is told, and its framed answer: status 0, no output (cksum of nothing: 4294967295 0).
  static ScriptedStream& proof(ScriptedStream& script) {
    return script.hears("__c=''")
        .hears("__c=*'true'")
        .hears("__k*")
        .hears("*__p *")
        .says("\r\n<hb $1 0 " + posix_cksum("0 ") + ">\r\n\r\n<he $1>\r\n# ");
  }
};

INSTANTIATE_TEST_SUITE_P(AnyArrival, LoginTest, testing::ValuesIn(kArrivals), name_of_arrival);

TEST_P(LoginTest, GivesNameAndPasswordAndProvesTheShell) {
  auto script = std::make_unique<ScriptedStream>();
  script->says("\r\nWelcome\r\nboard login: ").hears("root").says("root\r\nPassword: ").hears("board").says("\r\n# ");
  proof(*script);
  EXPECT_NO_THROW(open_with(std::move(script)).login(Deadline::in(20s)));
}

TEST_P(LoginTest, ADeviceThatAsksForNoPasswordIsFine) {
  auto script = std::make_unique<ScriptedStream>();
  script->says("login: ").hears("root").says("\r\n# ");
  proof(*script);
  EXPECT_NO_THROW(open_with(std::move(script)).login(Deadline::in(20s)));
}

TEST_P(LoginTest, ASilentLineIsWokenByAnEmptyLine) {
  auto script = std::make_unique<ScriptedStream>();
  script->hears("").says("\r\n# ");
  proof(*script);
  EXPECT_NO_THROW(open_with(std::move(script)).login(Deadline::in(20s)));
}

TEST_P(LoginTest, WhatALineEditorAsksAfterThePromptIsNoText) {
  auto script = std::make_unique<ScriptedStream>();
  script->says("# \x1b[6n");
  proof(*script);
  EXPECT_NO_THROW(open_with(std::move(script)).login(Deadline::in(20s)));
}

TEST_P(LoginTest, ThePasswordIsNotOnTheTimeline) {
  options_.shell->password = "Kept-4711";
  auto script = std::make_unique<ScriptedStream>();
  script->says("board login: ").hears("root").says("Password: ").hears("Kept-4711").says("\r\n# ");
  proof(*script);
  EXPECT_NO_THROW(open_with(std::move(script)).login(Deadline::in(20s)));
  std::string told;
  for (const auto& event : sink_.events("console.sent")) told += event.data.dump();
  EXPECT_THAT(told, HasSubstr("root"));
  EXPECT_THAT(told, testing::Not(HasSubstr("Kept")));
  EXPECT_THAT(told, HasSubstr(R"("bytes":10,)")) << "that something was typed is";
}

TEST_P(LoginTest, ARefusedPasswordIsToldAndNotTriedForEver) {
  auto script = std::make_unique<ScriptedStream>();
  script->says("board login: ").hears("root").says("Password: ").hears("board").says("\r\nLogin incorrect\r\nboard login: ");
  script->hears("").says("\r\nboard login: ").hears("root").says("Password: ").hears("board").says("\r\nLogin incorrect\r\nboard login: ");
  const auto error = error_of([&] { open_with(std::move(script)).login(Deadline::in(20s)); });
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.what(), HasSubstr("refuses the login of 'root'"));
  EXPECT_THAT(error.what(), HasSubstr("password"));
}

TEST_P(LoginTest, ALoginThatNobodyGaveIsAskedFor) {
  options_.shell->login.clear();
  auto script = std::make_unique<ScriptedStream>();
  script->says("board login: ");
  EXPECT_THAT(error_of([&] { open_with(std::move(script)).login(Deadline::in(20s)); }).what(), HasSubstr("add `login:`"));
}

}  // namespace
}  // namespace hilcop
