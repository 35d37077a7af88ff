// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "network/intercept/cases.h"
#include "network/intercept/interceptor.h"
#include "network/intercept/loopback.h"
#include "network/intercept/test_client.h"

namespace hilcop {

class InterceptorTest : public testing::Test {
 protected:
  static Certificate authority() {
    static const auto made = make_authority("the lab's CA", real_clock().utc_now());
    return made;
  }
  // Keys of RSA take their time: made once.
  static const CaseCertificates& certificates() {
    static const CaseCertificates made{authority()};
    return made;
  }
  /// Once more: as one that saw nobody yet.
  void serve(InterceptOptions options = {}, const CaseCertificates& shown = certificates()) {
    auto [socket, port] = listening_on_loopback();
    std::vector<UniqueFd> sockets;
    sockets.push_back(std::move(socket));
    port_ = port;
    seen_ = 0;
    options.on_secrets = [this](std::string_view line) {
      const std::scoped_lock lock(mutex_);
      secrets_ += line;
    };
    options.on_connection = [this](const InterceptedConnection& connection) {
      const std::scoped_lock lock(mutex_);
      told_.push_back(connection);
    };
    interceptor_.emplace(std::move(sockets), shown, Sound, std::move(options));
  }
  /// The one that ended after `seen` others had.
  InterceptedConnection next() {
    const auto deadline = Deadline::in(20s);
    while (interceptor_->ended().size() <= seen_ && !deadline.expired())
      interceptor_->wait_for({"no such name", "", 0}, deadline.at_most(5ms));
    const auto all = interceptor_->ended();
    if (all.size() > seen_) return all[seen_++];
    ADD_FAILURE() << "no connection ended";
    return {};
  }
  std::string secrets() {
    const std::scoped_lock lock(mutex_);
    return secrets_;
  }
  std::vector<InterceptedConnection> told() {
    const std::scoped_lock lock(mutex_);
    return told_;
  }

  std::mutex mutex_;
  std::string secrets_;
  std::vector<InterceptedConnection> told_;
  int port_ = 0;
  std::size_t seen_ = 0;
  std::optional<Interceptor> interceptor_;  // last: it tells the others until it is gone
};

}  // namespace hilcop
