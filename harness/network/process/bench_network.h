// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "network/capture/recorder.h"
#include "network/port/links.h"
#include "network/process/setup.h"
#include "network/wire/cable.h"
#include "network/wire/wire.h"

namespace hilcop {

/// The whole network that one DUT hangs on, in the namespace of this process: its port, the wire, the gateway behind it and what is
/// recorded. Recording begins before the port has a link. Not thread-safe; calls end at once unless they say otherwise. Throws Error.
class BenchNetwork {
 public:
  explicit BenchNetwork(const NetworkSetup& setup);
  ~BenchNetwork();

  /// What is asked of it by name, as docs/protocol.md lists; may block until the deadline. Throws Error{Unsupported} for other names.
  nlohmann::json ask(const std::string& what, const nlohmann::json& how, Deadline deadline);

 private:
  nlohmann::json status();
  nlohmann::json start_capture(const std::string& name, std::unique_ptr<PcapngWriter> writer);
  nlohmann::json stop_capture(const std::string& name);
  Recorder& capture(const std::string& name);
  void impair(const nlohmann::json& how);

  NetworkSetup setup_;
  Links links_;
  std::map<std::string, std::unique_ptr<Recorder>> captures_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<Cable> cable_;
};

}  // namespace hilcop
