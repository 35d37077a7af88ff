// SPDX-License-Identifier: Apache-2.0
// Both halves of a USB 3 hub that the kernel sees at its virtual host controller; a lamp shines while either gives power.
#include "base/interrupt.h"
#include "realusb/vhci_port.h"

namespace hilcop {
namespace {

constexpr int kPorts = 4;

// Plugged in once for all tests, and again after a test that unplugged it: that takes the kernel seconds.
struct Plugged {
  std::shared_ptr<EmulatedHub> high = std::make_shared<EmulatedHub>(EmulatedHub::Speed::High, kPorts);
  std::shared_ptr<EmulatedHub> super = std::make_shared<EmulatedHub>(EmulatedHub::Speed::Super, kPorts);
  VhciPort high_port{high, VhciPort::Speed::High, 1};
  VhciPort super_port{super, VhciPort::Speed::Super, kSuperSpeedPorts + 1};
  Plugged() {
    // The kernel powers every port of a hub that it finds, after it has shown it.
    const auto all_powered = [this] {
      for (int port = 1; port <= kPorts; ++port)
        if (!high->powered(port) || !super->powered(port)) return false;
      return true;
    };
    for (const Deadline deadline = Deadline::in(10s); !all_powered() && !deadline.expired();) wait_until(deadline.at_most(5ms));
  }
};
std::unique_ptr<Plugged> plugged;

class UsbHubRig final : public InstrumentRig {
 public:
  UsbHubRig() {
    if (plugged && (!plugged->high_port.plugged() || !plugged->super_port.plugged())) plugged.reset();
    if (!plugged) plugged = std::make_unique<Plugged>();
    for (int port = 1; port <= kPorts; ++port) {
      plugged->high->power(port, false);
      plugged->super->power(port, false);
    }
    behave(Behaviour::Sound);
  }
  // By requests to the hub: what the kernel's attribute does is tried with QEMU's hub.
  nlohmann::json config() const override { return {{"path", plugged->high_port.path()}, {"by", "control"}}; }
  bool is_on(const std::string& output) const override {
    return plugged->high->powered(std::stoi(output)) || plugged->super->powered(std::stoi(output));
  }
  void behave(Behaviour behaviour) override {
    plugged->high_port.behave(behaviour);
    plugged->super_port.behave(behaviour);
  }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_usb_hub_instrument_rig() { return std::make_unique<UsbHubRig>(); }

}  // namespace hilcop
