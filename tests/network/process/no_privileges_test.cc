// SPDX-License-Identifier: Apache-2.0
// Hosts that let nobody make a namespace: who is told, and what to do about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "fakes/error_of.h"
#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "network/process/client.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

class NoPrivilegesTest : public testing::Test {
 protected:
  static bool user_namespaces() {
    ProcessOptions options;
    options.program = "unshare";
    options.arguments = {"--user", "--map-root-user", "true"};
    options.capture_output = true;
    return run_process(options, Deadline::in(20s)).status.code == 0;
  }
  /// What starting a network behind these commands of the shell comes to; `$@` is the network.
  Error started(const std::string& script) const {
    const auto program = dir_ / "limited";
    std::ofstream(program) << "#!/bin/sh\nset -- " << (build_dir() / "tests/network/process/network_program").string() << " \"$@\"\n"
                           << script << "\n";
    ::chmod(program.c_str(), 0700);
    NetworkClient::Options options;
    options.program = program;
    options.setup.name = "device";
    options.setup.ports = {{"device", dir_ / "cable", "", {}}};
    return error_of([&] { NetworkClient::start(std::move(options), Deadline::in(20s)); });
  }
  // Root of a user namespace that may have none below it; where the host makes none at all, that is what is wanted.
  static std::string below(const std::string& limits, const std::string& command = "") {
    if (!user_namespaces()) return "exec " + command + " \"$@\"";  // the limits would be everybody's
    return "exec unshare --user --map-root-user sh -c '" + limits + "; exec " + command + " \"$@\"' sh \"$@\"";
  }
  TempDir dir_;
};

TEST_F(NoPrivilegesTest, WhoMayNotMakeANamespaceIsToldWhatWouldLetHim) {
  const auto error =
      started(below("echo 0 > /proc/sys/user/max_user_namespaces", "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"));
  EXPECT_EQ(error.kind(), ErrorKind::PermissionDenied) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("network of dut 'device': this user may not make a namespace"));
  EXPECT_THAT(error.remedy(), HasSubstr("kernel.unprivileged_userns_clone=1"));
}

TEST_F(NoPrivilegesTest, AHostWithoutAnyLeftIsToldToHaveMore) {
  if (!user_namespaces()) GTEST_SKIP() << "this host makes no user namespaces, so that its limits are everybody's";
  const auto error = started(below("echo 0 > /proc/sys/user/max_net_namespaces; echo 0 > /proc/sys/user/max_user_namespaces"));
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted) << error.what();
  EXPECT_THAT(error.remedy(), HasSubstr("user.max_net_namespaces"));
}

}  // namespace
}  // namespace hilcop
