// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "arrival.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "fakes/temp_dir.h"
#include "io/socket_stream.h"

namespace hilcop {

/// A console on a socket pair; the test holds the device's end.
class ConsoleTest : public testing::TestWithParam<Arrival> {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    device_.reset(ends[1]);
    ours_ = UniqueFd(ends[0]);
    options_.source = "board1/main";
    options_.record_dir = dir_.path();
  }

  Console& open() {
    loop_ = IoLoop::start();
    console_ = Console::open(arriving(make_socket_stream(std::move(ours_), "test")), options_, *loop_, sink_);
    return *console_;
  }

  // As a worker that is killed leaves its recording: with a record of the index that is torn.
  void device_says_to_a_console_of_its_own(std::string_view text) {
    SetUp();
    open().mark();
    device_says(text);
    const Deadline deadline = Deadline::in(5s);
    while (console_->offset() < text.size() && !deadline.expired()) wait_until(deadline.at_most(1ms));
    console_.reset(), loop_.reset();
    std::ofstream(dir_ / "board1-main.index", std::ios::app | std::ios::binary) << "torn";
    SetUp();
  }

  std::unique_ptr<ByteStream> arriving(std::unique_ptr<ByteStream> stream) {
    return hilcop::arriving(std::move(stream), GetParam(), stalls_);
  }

  // Few bytes a read: what takes a system call each.
  bool slow() const { return GetParam().most < 100; }

  void device_says(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::send(device_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0);
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::string device_hears(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
      const auto n = ::recv(device_.get(), text.data() + done, bytes - done, 0);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    text.resize(done);
    return text;
  }

  std::string recorded(const std::string& ending) const {
    std::ifstream file(dir_ / ("board1-main" + ending), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  Match expect(const std::string& regex, Nanoseconds within = 5s) {
    const std::array patterns{Pattern::regex(regex)};
    return console_->expect(patterns, Deadline::in(within));
  }

  TempDir dir_;
  MemorySink sink_;
  UniqueFd device_, ours_;
  ConsoleOptions options_;
  std::shared_ptr<LineFaultState> stalls_ = stalls_of(GetParam());
  std::unique_ptr<IoLoop> loop_;
  std::unique_ptr<Console> console_;
};

}  // namespace hilcop
