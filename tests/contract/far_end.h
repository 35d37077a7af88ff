// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "contract/rig.h"
#include "fakes/pty_port.h"
#include "io/unique_fd.h"

namespace hilcop {

/// The protocol of an imitated instrument, as its documentation says: takes one whole request from the front of `input` and returns
/// the answer (empty: it has none); nullopt: no whole request is there yet. `behaviour` is Sound, Refuses or Lies: the rest is the
/// FarEnd's doing. Called from the FarEnd's thread, one request at a time.
class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual std::optional<std::string> take(std::string& input, Behaviour behaviour) = 0;
  /// What it says to a new connection by itself.
  virtual std::string greeting() { return ""; }
};

/// Serves a Protocol over TCP on loopback or behind a pseudo-terminal, with every Behaviour.
class FarEnd {
 public:
  enum class Over { Tcp, Serial };
  FarEnd(std::unique_ptr<Protocol> protocol, Over over);
  ~FarEnd();

  int port() const { return port_; }                                    // Over::Tcp
  std::string serial_port() const { return pty_ ? pty_->port() : ""; }  // Over::Serial
  void behave(Behaviour behaviour);
  /// Requests that came while an earlier one had not been answered: a driver must not do that.
  int overlaps() const { return overlaps_; }

 private:
  struct Peer {
    UniqueFd fd;
    std::string input;
  };
  void serve(const std::stop_token& stop);
  bool serve_peer(Peer& peer);
  bool answer(const Peer& peer, const std::string& bytes);
  bool wait_or_end(std::chrono::milliseconds span);
  void plug_in();

  std::unique_ptr<Protocol> protocol_;
  Over over_;
  std::atomic<Behaviour> behaviour_{Behaviour::Sound};
  std::atomic<int> overlaps_{0};
  std::atomic<bool> unplugged_{false};
  int port_ = 0;
  UniqueFd listener_, wake_;
  std::unique_ptr<PtyPort> pty_;
  std::vector<Peer> peers_;
  std::jthread thread_;
};

}  // namespace hilcop
