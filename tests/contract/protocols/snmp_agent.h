// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "contract/rig.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Eight APC outlets behind an SNMPv2c agent on loopback (RFC 3416): rPDUOutletControlOutletCommand alone. It answers the community
/// "private", and says nothing to any other.
class SnmpAgent {
 public:
  SnmpAgent();
  ~SnmpAgent();
  int port() const { return port_; }
  void behave(Behaviour behaviour) { behaviour_ = behaviour; }
  /// What it answers a set with, if not 0: 17 notWritable, 10 wrongValue, ...
  void refuse_with(int status) { refusal_ = status; }
  /// The next so many datagrams are lost.
  void lose(int datagrams) { lost_ = datagrams; }
  /// How long a relay takes to follow.
  void move_after(std::chrono::milliseconds span) { moves_after_ms_ = static_cast<int>(span.count()); }

  std::array<std::atomic<bool>, 8> on{};

 private:
  void serve(const std::stop_token& stop);
  std::string answer(const std::string& datagram);
  int value_of(std::size_t outlet);

  UniqueFd socket_, wake_;
  int port_ = 0;
  std::atomic<Behaviour> behaviour_{Behaviour::Sound};
  std::atomic<int> refusal_{0}, lost_{0}, moves_after_ms_{0};
  std::map<std::size_t, std::pair<std::chrono::steady_clock::time_point, bool>> moving_;
  std::jthread thread_;
};

}  // namespace hilcop
