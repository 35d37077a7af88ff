// SPDX-License-Identifier: Apache-2.0
// ssh-audit, as a child of the network process, on OpenSSH's server.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>

#include "base/error.h"
#include "fakes/error_of.h"
#include "fakes/loopback_socket.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "network/process/tools.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

TEST(SshAudit, SaysWhatAServerOffers) {
  const TempDir dir;
  const auto key = (dir / "host").string();
  ProcessOptions keygen;
  keygen.program = "ssh-keygen";
  keygen.arguments = {"-q", "-t", "ed25519", "-N", "", "-f", key};
  ASSERT_EQ(run_process(keygen, Deadline::in(20s)).status.code, 0);
  if (::geteuid() == 0) ::mkdir("/run/sshd", 0755);  // where it locks itself up (sshd(8))
  const int port = free_port();
  std::ofstream(dir / "conf") << "Port " << port << "\nListenAddress 127.0.0.1\nHostKey " << key << "\nPidFile none\nUsePAM no\n";
  ProcessOptions options;
  options.program = "/usr/sbin/sshd";
  options.arguments = {"-D", "-e", "-f", (dir / "conf").string()};
  options.capture_output = true;
  const auto server = ChildProcess::start(options);
  for (const auto deadline = Deadline::in(20s); server->output().find("Server listening") == std::string::npos;)
    ASSERT_FALSE(deadline.expired()) << server->output();

  const nlohmann::json how{{"tool", "ssh-audit"}, {"ports", {port}}};
  const auto result = run_tool(how, "127.0.0.1", "lo", Deadline::in(60s));
  const auto report = nlohmann::json::parse(result.at("report").get<std::string>());
  EXPECT_THAT(report.at("banner").at("software").get<std::string>(), HasSubstr("OpenSSH_"));
  EXPECT_EQ(report.at("key").at(0).at("algorithm"), "ssh-ed25519");
  EXPECT_FALSE(report.at("kex").empty());
  // The control: of a port where nobody speaks SSH there is no report, and the error says what the program said.
  const nlohmann::json nobody{{"tool", "ssh-audit"}, {"ports", {free_port()}}};
  const auto error = error_of([&] { run_tool(nobody, "127.0.0.1", "lo", Deadline::in(60s)); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("refused"));
}

}  // namespace
}  // namespace hilcop
