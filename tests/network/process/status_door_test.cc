// SPDX-License-Identifier: Apache-2.0
// What others of this user see of a network, and that none of them can hold it up.
#include "network/process/status_door.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "fakes/error_of.h"
#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "io/unix_socket.h"
#include "network/process/client.h"

namespace hilcop {
namespace {

using nlohmann::json;

std::filesystem::path network_program() { return build_dir() / "tests/network/process/network_program"; }

class StatusDoorTest : public ::testing::Test {
 protected:
  NetworkClient* start(const std::string& bench, const std::string& dut, int number) {
    NetworkClient::Options options;
    options.program = network_program();
    options.setup.name = dut;
    options.setup.bench = bench;
    options.setup.ports = {{"device", folder_.path() / ("cable" + std::to_string(number)), "", {}}};
    options.setup.door = new_status_door(number);
    return networks_.emplace_back(NetworkClient::start(std::move(options), Deadline::in(20s))).get();
  }
  static json status_of(NetworkClient& network) { return network.ask("status", json::object(), Deadline::in(20s)); }

  TempDir folder_{true};
  std::vector<std::unique_ptr<NetworkClient>> networks_;
};

TEST_F(StatusDoorTest, EachNetworkTellsOfItselfUntilItsEnd) {
  auto* const one = start("left", "lamp", 1);
  auto* const other = start("right", "lamp", 2);
  auto doors = status_doors();
  ASSERT_EQ(doors.size(), 2U);
  struct stat about {};
  ASSERT_EQ(::stat(doors[0].c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  const auto of_other = ask_at(doors[1], Deadline::in(10s));
  std::optional<json> told;
  json before;
  // The gateway says things of its own accord (MLD, router advertisements), and the status counts them: asked again until it stood still.
  for (const auto deadline = Deadline::in(20s); before.is_null() || status_of(*one) != before;) {
    ASSERT_FALSE(deadline.expired()) << "the status never stands still";
    before = status_of(*one);
    told = ask_at(doors[0], Deadline::in(10s));
  }
  ASSERT_TRUE(told && of_other);
  EXPECT_EQ(told->at("bench"), "left");
  EXPECT_EQ(told->at("dut"), "lamp");
  EXPECT_EQ(told->at("pid"), one->pid());
  EXPECT_EQ(told->at("owner"), ::getpid());
  EXPECT_EQ(told->at("status"), before) << "the same as its owner is told";
  EXPECT_EQ(of_other->at("bench"), "right");
  one->close(Deadline::in(10s));
  EXPECT_EQ(status_doors(), std::vector{doors[1]});
  EXPECT_FALSE(ask_at(doors[0], Deadline::in(10s)));
  other->close(Deadline::in(10s));
  EXPECT_TRUE(status_doors().empty());
}

// Who never reads, who says things, who hangs up, and who comes again and again.
TEST_F(StatusDoorTest, WhoeverStandsThereHoldsUpNobody) {
  auto* const network = start("bench", "lamp", 1);
  const auto door = status_doors().at(0);
  std::atomic<bool> ending{false};
  std::vector<UniqueFd> silent;
  std::vector<std::jthread> crowd;
  for (int i = 0; i < 40; ++i) silent.push_back(connect_unix(door, Deadline::in(10s)));
  const std::string noise(1u << 16, '\n');
  for (int i = 0; i < 4; ++i)
    crowd.emplace_back([&] {
      while (!ending) {
        try {
          const auto visitor = connect_unix(door, Deadline::in(10s));
          [[maybe_unused]] const auto n = ::send(visitor.get(), noise.data(), noise.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        } catch (const Error&) {
          continue;  // a full queue
        }
      }
    });
  auto longest = Nanoseconds::zero();
  for (int i = 0; i < 100; ++i) {
    const auto begin = real_clock().now();
    status_of(*network);
    longest = std::max(longest, real_clock().now() - begin);
  }
  EXPECT_LT(longest, 10s) << "beside four threads that spin";
  EXPECT_TRUE(ask_at(door, Deadline::in(10s))) << "beside them";
  ending = true;
  crowd.clear();
  EXPECT_NO_THROW(network->close(Deadline::in(10s)));
}

TEST_F(StatusDoorTest, OfAKilledNetworkNoDoorIsLeft) {
  ProcessOptions options;
  options.program = network_program();
  options.arguments = {"own", (folder_ / "cable").string()};
  options.output_file = folder_ / "pid";
  const auto owner = ChildProcess::start(std::move(options));
  pid_t network = 0;
  const auto said = [&] { return static_cast<bool>(std::ifstream(folder_ / "pid") >> network); };
  for (const auto deadline = Deadline::in(20s); !said();) ASSERT_FALSE(deadline.expired());
  const auto door = status_doors().at(0);
  ASSERT_TRUE(ask_at(door, Deadline::in(10s)));
  ASSERT_EQ(::kill(network, SIGKILL), 0);
  for (const auto deadline = Deadline::in(10s); ask_at(door, Deadline::in(10s));) ASSERT_FALSE(deadline.expired());
  EXPECT_EQ(status_doors(), std::vector{door}) << "its owner lives, and may be about to make another";
  owner->kill();
  EXPECT_TRUE(status_doors().empty());
  EXPECT_FALSE(std::filesystem::exists(door));
}

TEST_F(StatusDoorTest, WhatIsNoDoorIsLeftAlone) {
  std::ofstream(new_status_door(1).parent_path() / "net-x-1.door") << "mine";
  std::ofstream(new_status_door(1).parent_path() / "net-1999999999.door") << "mine";
  std::ofstream(new_status_door(1).parent_path() / "net-1999999999-1") << "mine";
  EXPECT_TRUE(status_doors().empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(new_status_door(1).parent_path()), {}), 3);
}

TEST_F(StatusDoorTest, AStatusThatFailsOrIsTooLongIsToldAsSuch) {
  const auto path = new_status_door(1);
  StatusDoor door(path);
  const auto told = [&](const std::function<json()>& status) {
    const std::jthread inside([&] {
      pollfd ready{door.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 10'000) == 1) door.answer(status);
    });
    return ask_at(path, Deadline::in(10s));
  };
  EXPECT_EQ(told([] { return json{{"a", 1}}; }), json({{"a", 1}}));
  EXPECT_EQ(told([] { return json(std::string(100'000, 'x')); }), json(std::string(100'000, 'x')));
  EXPECT_EQ(error_of([&] { told([] { return json(std::string(StatusDoor::kMostTold, 'x')); }); }).kind(), ErrorKind::Exhausted);
  EXPECT_EQ(error_of([&] { told([]() -> json { throw Error(ErrorKind::Timeout, "it", "is slow"); }); }).kind(), ErrorKind::Timeout);
  EXPECT_EQ(error_of([&] { told([] { return json::array().at(1); }); }).kind(), ErrorKind::Protocol);
  EXPECT_EQ(error_of([&] { ask_at(path, Deadline::in(50ms)); }).kind(), ErrorKind::Timeout) << "nobody answers";
}

TEST_F(StatusDoorTest, WithoutADescriptorItRestsAndIsThereAgain) {
  const auto path = new_status_door(1);
  StatusDoor door(path);
  const auto visitor = connect_unix(path, Deadline::in(10s));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest = ::fcntl(0, F_DUPFD, 0);
  ASSERT_EQ(::close(lowest), 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(lowest);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  door.answer([] { return json(1); });
  const auto rests = door.fd();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(rests, -1);
  for (const auto deadline = Deadline::in(10s); door.fd() < 0;) ASSERT_FALSE(deadline.expired());
  door.answer([] { return json(1); });
  JsonLines lines(UniqueFd(::dup(visitor.get())), "door");
  EXPECT_EQ(lines.receive(Deadline::in(10s)), json({{"result", 1}}));
}

TEST_F(StatusDoorTest, AnotherUserIsToldNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const auto path = new_status_door(1);
  StatusDoor door(path);
  for (const auto& open : {path, path.parent_path(), folder_.path()}) ASSERT_EQ(::chmod(open.c_str(), 0777), 0);  // whoever did so
  ASSERT_EQ(::seteuid(65534), 0);
  auto visitor = connect_unix(path, Deadline::in(10s));
  ASSERT_EQ(::seteuid(0), 0);
  door.answer([] { return json(1); });
  JsonLines lines(std::move(visitor), "door");
  EXPECT_EQ(error_of([&] { lines.receive(Deadline::in(10s)); }).kind(), ErrorKind::Disconnected);
}

}  // namespace
}  // namespace hilcop
