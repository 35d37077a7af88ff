// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "capture/captures.h"
#include "network/port/carrier_watch.h"
#include "network/port/links.h"
#include "network/process/outbox.h"
#include "network/process/setup.h"
#include "network/wire/cable.h"
#include "network/wire/wire.h"

namespace hilcop {

/// Where one device hangs: its interface, the wire from there to the gateway, and what is recorded of it, which begins before the interface
/// has a link. A virtual device is plugged in by its cable; a real one hangs on an interface of the host's that was moved here. Not
/// thread-safe but for tls_secrets and tls_over. Throws Error.
class DevicePort {
 public:
  /// `interface`: a tap that is made, or what was moved here; `gateway`: the far end of the wire.
  DevicePort(const PortSetup& setup, std::string interface, Links& links, UniqueFd gateway, Outbox& outbox);
  ~DevicePort();

  /// capture.*, impair, cut, link; an Error for others.
  nlohmann::json ask(const std::string& what, const nlohmann::json& how, Deadline deadline);
  /// A comment at the next packet.
  void mark(const std::string& text) { captures_.mark(text); }
  void tls_secrets(const std::string& lines) { captures_.tls_secrets(lines); }
  void tls_over(const std::string& client_random) { captures_.tls_over(client_random); }
  nlohmann::json status();
  /// Who has spoken there so far. Thread-safe.
  std::vector<SeenHost> hosts() { return wire_->hosts(); }
  /// Nothing comes any more, and what is recorded is complete.
  void stop();

 private:
  void plugged(bool there);
  std::optional<Error> deaf() const;
  nlohmann::json told(const PacketRecorderStatus& status, bool with_paths);
  void start_capture(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring);
  nlohmann::json ask_capture(const std::string& what, const nlohmann::json& how, Deadline deadline);
  void impair(const nlohmann::json& how);
  Error about(ErrorKind kind, const std::string& cause, const std::string& remedy) const;

  PortSetup setup_;
  std::string interface_;
  Links& links_;
  Outbox& outbox_;
  Captures captures_;
  std::unique_ptr<Wire> wire_;
  std::atomic<bool> plugged_{false}, gone_{false};
  std::unique_ptr<Cable> cable_;           // of a virtual device
  std::unique_ptr<CarrierWatch> carrier_;  // of a real one
};

}  // namespace hilcop
