// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <umockdev.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "fakes/emulated_usb.h"

namespace hilcop {

/// What libusb sees instead of this host's USB: a bus with emulated devices. The program must run under umockdev's preload.
class MockUsb {
 public:
  MockUsb();
  ~MockUsb();
  /// At "1-<port>", address port + 1.
  void plug(int port, std::shared_ptr<EmulatedUsb> device, const std::string& serial = "");
  void unplug(int port);
  /// Every request of a class stalls, is held, or finds that the device has gone.
  enum class Fault { None, Stall, Hold, Gone };
  void fault(Fault fault) { fault_ = fault; }

 private:
  struct Port {
    MockUsb* bus = nullptr;
    std::shared_ptr<EmulatedUsb> device;
    UMockdevIoctlBase* handler = nullptr;
    std::deque<UMockdevIoctlData*> done, held;
    std::string directory;
  };
  static int on_ioctl(UMockdevIoctlBase*, UMockdevIoctlClient* client, void* port);
  bool submit(Port& port, UMockdevIoctlClient* client);
  static void reap(Port& port, UMockdevIoctlClient* client);

  UMockdevTestbed* testbed_;
  std::atomic<Fault> fault_{Fault::None};
  std::mutex mutex_;
  std::map<int, Port> ports_;
};

}  // namespace hilcop
