// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace hilcop {
namespace {

TEST(Error, SaysWhatOnWhichObjectWhyAndWhatToDo) {
  const Error error(ErrorKind::Busy, "console of dut 'board1'", "held by pid 7", "wait for it, or use --wait");
  EXPECT_STREQ(error.what(), "console of dut 'board1': held by pid 7; wait for it, or use --wait");
}

TEST(Error, CrossesProcessBordersWhole) {
  const Error sent = Error(ErrorKind::Timeout, "relay", "no answer in 2 s", "check its power").while_doing("while switching off");
  const Error received = Error::from_json(nlohmann::json::parse(sent.to_json().dump()));
  EXPECT_EQ(received.kind(), ErrorKind::Timeout);
  EXPECT_STREQ(received.what(), sent.what());
}

TEST(Error, EveryErrnoThatALabMeetsHasItsKind) {
  EXPECT_EQ(error_from_errno(ENOSPC, "x", "write").kind(), ErrorKind::Exhausted);
  EXPECT_EQ(error_from_errno(EACCES, "x", "open").kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(error_from_errno(ENOENT, "x", "open").kind(), ErrorKind::NotFound);
  EXPECT_EQ(error_from_errno(EBUSY, "x", "open").kind(), ErrorKind::Busy);
  EXPECT_EQ(error_from_errno(EIO, "x", "read").kind(), ErrorKind::Disconnected);
}

}  // namespace
}  // namespace hilcop
