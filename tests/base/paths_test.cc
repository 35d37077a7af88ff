// SPDX-License-Identifier: Apache-2.0
#include "base/paths.h"

#include <cstdlib>

#include <gmock/gmock.h>

#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

TEST(TemporaryDir, IsTheUsersChoiceAndAMissingOneIsNoFaultOfTheProgram) {
  const TempDir dir;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", dir.path().c_str(), 1);
  EXPECT_EQ(temporary_dir(), dir.path());
  ::setenv("TMPDIR", (dir / "gone").c_str(), 1);
  const auto error = error_of([] { temporary_dir(); });
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.what(), testing::HasSubstr((dir / "gone").string()));
  EXPECT_THAT(error.what(), testing::HasSubstr("TMPDIR"));
  before != nullptr ? ::setenv("TMPDIR", kept.c_str(), 1) : ::unsetenv("TMPDIR");
}

}  // namespace
}  // namespace hilcop
