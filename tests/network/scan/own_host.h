// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/unique_fd.h"
#include "network/port/links.h"
#include "network/port/socket_address.h"

namespace hilcop {

/// Loopback of a namespace of this test's own: a host on which nothing listens but what the test makes.
class OwnHost : public ::testing::Test {
 protected:
  void SetUp() override { links_.set_up("lo", true); }
  void TearDown() override { links_.set_up("lo", true); }

  static UniqueFd bound(const std::string& address, int port, int type) {
    const auto at = socket_address(address, port, "lo");
    UniqueFd fd(::socket(at.family(), type | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    EXPECT_EQ(::bind(fd.get(), at.get(), at.size), 0) << address << " port " << port << ": " << errno;
    return fd;
  }
  static UniqueFd listening(const std::string& address, int port, int backlog = 100) {
    auto fd = bound(address, port, SOCK_STREAM);
    EXPECT_EQ(::listen(fd.get(), backlog), 0);
    return fd;
  }
  /// One that drops whoever asks: its queue is full (listen(2) with 0 keeps one), and nobody takes from it.
  static std::vector<UniqueFd> deaf(const std::string& address, int port) {
    std::vector<UniqueFd> all;
    all.push_back(listening(address, port, 0));
    const auto at = socket_address(address, port, "lo");
    for (int i = 0; i < 2; ++i) {
      all.emplace_back(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      ::connect(all.back().get(), at.get(), at.size);
    }
    return all;
  }
  static void set(const std::string& setting, const std::string& value) {
    std::ofstream file("/proc/sys/net/" + setting);
    file << value << std::flush;
    EXPECT_TRUE(file.good()) << setting;
  }

  Links links_;
};

}  // namespace hilcop
