// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "fakes/temp_dir.h"
#include "file_relay.h"
#include "keeper/client.h"
#include "keeper/server.h"

namespace hilcop {

/// A keeper in a process of its own, and a relay board that keeps its state when everybody dies.
class KeeperTest : public testing::Test {
 protected:
  void SetUp() override { start_keeper_process(); }
  void TearDown() override {
    if (keeper_ > 0) {
      ::kill(keeper_, SIGKILL);
      ::waitpid(keeper_, nullptr, 0);
    }
  }

  virtual DriverTable drivers() const {
    static const Driver* const table[] = {&file_relay_driver()};
    return table;
  }

  pid_t in_process(const std::function<void()>& action) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        action();
        ::_exit(0);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        ::_exit(1);
      }
    }
    return child;
  }

  void start_keeper_process(Nanoseconds idle_end = 60s) {
    keeper_ = in_process([this, idle_end] { serve(idle_end); });
  }
  [[noreturn]] void serve(Nanoseconds idle_end) {
    KeeperOptions options;
    options.socket = dir_ / "keeper.sock";
    options.journal = dir_ / "journal";
    options.idle_end = idle_end;
    options.reclaim = 300ms;
    ::_exit(serve_keeper(options, drivers()));
  }

  std::unique_ptr<KeeperClient> connect() {
    KeeperClient::Options options;
    options.socket = dir_ / "keeper.sock";
    options.start_on_demand = false;
    const Deadline deadline = Deadline::in(10s);
    while (true) {
      try {
        return KeeperClient::connect(options, deadline);
      } catch (const Error&) {
        if (deadline.expired()) throw;
        wait_until(deadline.at_most(5ms));
      }
    }
  }

  LeaseRequest request(const std::string& channel, int slow_ms = 0) {
    LeaseRequest wanted;
    wanted.instrument = {"relay", "file-relay", {{"dir", dir_.path().string()}, {"slow_ms", slow_ms}}};
    wanted.channel = channel;
    wanted.holder = "test of " + channel;
    return wanted;
  }

  bool is_on(const std::string& channel) const { return FileRelay::is_on(dir_.path(), channel); }
  bool off_within(const std::string& channel, Nanoseconds span) const {
    const Deadline deadline = Deadline::in(span);
    while (is_on(channel)) {
      if (deadline.expired()) return false;
      wait_until(deadline.at_most(2ms));
    }
    return true;
  }
  void wait_for_file(const std::string& name) const {
    const Deadline deadline = Deadline::in(10s);
    while (!std::filesystem::exists(dir_ / name) && !deadline.expired()) wait_until(deadline.at_most(2ms));
    ASSERT_TRUE(std::filesystem::exists(dir_ / name));
  }
  // A client in a process of its own that switches a channel on and waits to be killed.
  pid_t holder_of(const std::string& channel, const std::function<void()>& then = {}, int slow_ms = 0) {
    const pid_t child = in_process([&] {
      const auto client = connect();
      const auto lease = client->lease(request(channel, slow_ms), soon());
      lease->set(true, nlohmann::json::object(), soon());
      if (then) then();
      std::ofstream(dir_ / ("ready-" + channel)) << "x";
      ::pause();
    });
    wait_for_file("ready-" + channel);
    EXPECT_TRUE(is_on(channel));
    return child;
  }
  static Deadline soon() { return Deadline::in(10s); }

  TempDir dir_{true};
  pid_t keeper_ = -1;
};

}  // namespace hilcop
