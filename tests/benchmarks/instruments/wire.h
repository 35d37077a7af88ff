// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <poll.h>

#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fakes/pty_port.h"
#include "io/unique_fd.h"

namespace hilcop {

/// What one switching was on the wire, as its client saw it.
struct WireStep {
  enum class What { Connect, Send, Receive, Close };
  What what = What::Send;
  std::string sent = {};     // Send
  std::size_t received = 0;  // Receive: so many bytes are waited for
};
using WireScript = std::vector<WireStep>;

enum class WireKind { Tcp, Udp, Serial };
std::size_t bytes_of(const WireScript& script);

/// Stands between a driver and its instrument, and writes down what passes.
class WireTap {
 public:
  WireTap(WireKind kind, int port, std::string serial_port);
  ~WireTap();
  int port() const { return port_; }
  std::string serial_port() const { return pty_ ? pty_->port() : ""; }
  /// What passed since the last call.
  WireScript take();

 private:
  void serve(const std::stop_token& stop);
  void pass(bool from_client, std::string_view bytes);
  void note(WireStep step);

  WireKind kind_;
  int port_ = 0, upstream_port_;
  std::unique_ptr<PtyPort> pty_;
  UniqueFd listener_, client_, upstream_, wake_;
  std::mutex mutex_;
  WireScript script_;
  std::jthread thread_;
};

/// A client that knows nothing but the script: what the protocol takes by itself.
class BareClient {
 public:
  BareClient(WireKind kind, int port);
  void play(const WireScript& script);

 private:
  void connect();
  WireKind kind_;
  int port_;
  UniqueFd fd_;
};

}  // namespace hilcop
