// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "contract/rig.h"
#include "fakes/emulated_usb.h"
#include "io/unique_fd.h"

namespace hilcop {

/// A socket of the kernel's virtual host controller (vhci-hcd) with an emulated device in it, served over USB/IP by a thread of this
/// process. Destroying it pulls the plug.
class VhciPort {
 public:
  enum class Speed { Low = 1, Full = 2, High = 3, Super = 5 };  // as the kernel numbers them
  /// Returns when the kernel shows the device, configured.
  VhciPort(std::shared_ptr<EmulatedUsb> device, Speed speed, int port);
  ~VhciPort();

  /// USB path: "3-1".
  const std::string& path() const { return path_; }
  /// Of requests of the device's class: the standard ones are always answered.
  void behave(Behaviour behaviour);
  void unplug();
  bool plugged() const { return serving_; }

 private:
  void serve();

  std::shared_ptr<EmulatedUsb> device_;
  std::string path_;
  std::atomic<Behaviour> behaviour_{Behaviour::Sound};
  std::atomic<bool> serving_{true};
  UniqueFd far_end_;
  std::jthread thread_;
};

/// Ports of vhci-hcd at SuperSpeed begin here: port n and port kSuperSpeedPorts + n are one socket.
constexpr int kSuperSpeedPorts = 15;

}  // namespace hilcop
