// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "network/capture/packet_recorder.h"
#include "network/port/links.h"
#include "network/process/gateway_services.h"
#include "network/process/interception.h"
#include "network/process/outbox.h"
#include "network/process/scanning.h"
#include "network/process/setup.h"
#include "network/wire/cable.h"
#include "network/wire/wire.h"

namespace hilcop {

/// The whole network that one DUT hangs on, in the namespace of this process: its port, the wire, the gateway behind it and what is
/// recorded. Recording begins before the port has a link. Not thread-safe; calls end at once unless they say otherwise. Throws Error.
class BenchNetwork {
 public:
  /// Of the namespace, so every bench network has the same ones: where the device hangs, and where the bench is.
  static constexpr const char *kPort = "device", *kGateway = "gateway";

  BenchNetwork(const NetworkSetup& setup, Outbox& outbox);
  ~BenchNetwork();

  /// What is asked of it by name, as docs/protocol.md lists; may block until the deadline. Throws Error{Unsupported} for other names.
  nlohmann::json ask(const std::string& what, const nlohmann::json& how, Deadline deadline);
  /// Of what waits for the device, and may be called from a thread of its own beside all else; nothing: it does not wait.
  std::function<nlohmann::json(Deadline)> waiting(const std::string& what, const nlohmann::json& how);

 private:
  nlohmann::json status();
  nlohmann::json start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring);
  nlohmann::json stop_capture(const std::string& name);
  PacketRecorder& capture(const std::string& name);
  void impair(const nlohmann::json& how);
  nlohmann::json ask_capture(const std::string& what, const nlohmann::json& how, Deadline deadline);
  void begin_interception(const nlohmann::json& how);
  Interception& interception();
  Error about(ErrorKind kind, const std::string& cause, const std::string& remedy) const;

  NetworkSetup setup_;
  Outbox& outbox_;
  Links links_;
  std::mutex captures_mutex_;  // held to change the map, and by other threads to read it
  std::map<std::string, std::unique_ptr<PacketRecorder>> captures_;
  std::unique_ptr<Wire> wire_;
  std::unique_ptr<GatewayServices> services_;
  std::shared_ptr<Interception> interception_;  // shared with who waits for it
  std::shared_ptr<Scanning> scanning_;          // the same
  std::unique_ptr<Cable> cable_;
};

}  // namespace hilcop
