// SPDX-License-Identifier: Apache-2.0
#include "io/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

std::pair<UniqueFd, UniqueFd> socket_pair() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

TEST(UnixSocket, IsForThisUserAloneAndConnects) {
  TempDir dir;
  const auto listener = listen_unix(dir / "s");
  struct stat info {};
  ASSERT_EQ(::stat((dir / "s").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto client = connect_unix(dir / "s", Deadline::in(1s));
  const auto served = accept_unix(listener.get());
  ASSERT_TRUE(served);
  EXPECT_EQ(peer_credentials(served->get()).pid, ::getpid());
}

TEST(UnixSocket, ALiveListenerIsBusyAndADeadOneIsReplaced) {
  TempDir dir;
  auto first = listen_unix(dir / "s");
  EXPECT_EQ(error_of([&] { listen_unix(dir / "s"); }).kind(), ErrorKind::Busy);
  first.reset();
  EXPECT_EQ(error_of([&] { connect_unix(dir / "s", Deadline::in(1s)); }).kind(), ErrorKind::Disconnected);
  EXPECT_TRUE(listen_unix(dir / "s"));
}

TEST(UnixSocket, ALongPathWorks) {
  TempDir dir;
  const auto deep = dir / std::string(90, 'a') / std::string(90, 'b');
  std::filesystem::create_directories(deep);
  const auto listener = listen_unix(deep / "socket");
  EXPECT_TRUE(connect_unix(deep / "socket", Deadline::in(1s)));
}

TEST(JsonLines, CarriesValuesWhateverTheChunks) {
  auto [ours, theirs] = socket_pair();
  JsonLines reader(std::move(ours), "peer");
  const std::string wire = "{\"a\":1}\n{\"b\":\"\xc3\xa9\"}\n";
  for (const char byte : wire) {
    ASSERT_EQ(::send(theirs.get(), &byte, 1, 0), 1);
    if (auto value = reader.receive_now(); value && value->contains("b")) {
      EXPECT_EQ((*value)["b"], "\xc3\xa9");
      return;
    }
  }
  FAIL() << "second line never came";
}

TEST(JsonLines, GarbageIsAProtocolErrorAndEndOfFileIsDisconnected) {
  auto [ours, theirs] = socket_pair();
  JsonLines reader(std::move(ours), "peer");
  ASSERT_EQ(::send(theirs.get(), "nonsense\n", 9, 0), 9);
  EXPECT_EQ(error_of([&] { reader.receive(Deadline::in(1s)); }).kind(), ErrorKind::Protocol);
  theirs.reset();
  EXPECT_EQ(error_of([&] { reader.receive(Deadline::in(1s)); }).kind(), ErrorKind::Disconnected);
}

TEST(JsonLines, AnEndlessLineIsRefused) {
  auto [ours, theirs] = socket_pair();
  JsonLines reader(std::move(ours), "peer");
  std::thread flood([fd = theirs.get()] {
    const std::string block(1 << 20, 'x');
    while (::send(fd, block.data(), block.size(), MSG_NOSIGNAL) > 0 || errno == EAGAIN) {
    }
  });
  EXPECT_EQ(error_of([&] { reader.receive(Deadline::in(20s)); }).kind(), ErrorKind::Protocol);
  reader = JsonLines(UniqueFd(), "closed");
  flood.join();
}

TEST(JsonLines, APeerThatDoesNotReadIsATimeout) {
  auto [ours, theirs] = socket_pair();
  JsonLines writer(std::move(ours), "peer");
  const nlohmann::json big = std::string(8 << 20, 'x');
  EXPECT_EQ(error_of([&] { writer.send(big, Deadline::in(30ms)); }).kind(), ErrorKind::Timeout);
}

TEST(JsonLines, NothingByTheDeadlineIsNoError) {
  auto [ours, theirs] = socket_pair();
  JsonLines reader(std::move(ours), "peer");
  EXPECT_FALSE(reader.receive(Deadline::in(10ms)));
}

}  // namespace
}  // namespace hilcop
