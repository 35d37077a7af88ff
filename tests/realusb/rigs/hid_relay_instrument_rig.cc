// SPDX-License-Identifier: Apache-2.0
// An HID relay board that the kernel sees at its virtual host controller.
#include "realusb/vhci_port.h"

namespace hilcop {
namespace {

// Plugged in once for all tests, and again after a test that unplugged it: that takes the kernel a second.
struct Plugged {
  std::shared_ptr<EmulatedHidRelay> board = std::make_shared<EmulatedHidRelay>();
  VhciPort port{board, VhciPort::Speed::Full, 0};
};
std::unique_ptr<Plugged> plugged;

class HidRelayRig final : public InstrumentRig {
 public:
  HidRelayRig() {
    if (plugged && !plugged->port.plugged()) plugged.reset();
    if (!plugged) plugged = std::make_unique<Plugged>();
    plugged->board->all_off();
    behave(Behaviour::Sound);
  }
  nlohmann::json config() const override { return {{"id", "HURTM"}}; }
  bool is_on(const std::string& output) const override { return plugged->board->on(std::stoi(output)); }
  void behave(Behaviour behaviour) override { plugged->port.behave(behaviour); }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_hid_relay_instrument_rig() { return std::make_unique<HidRelayRig>(); }

}  // namespace hilcop
