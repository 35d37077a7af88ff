// SPDX-License-Identifier: Apache-2.0
#include <sys/ioctl.h>

#include "contract/rig.h"
#include "fakes/pty_port.h"

namespace hilcop {
namespace {

class SerialLinesRig final : public InstrumentRig {
 public:
  nlohmann::json config() const override { return {{"port", port_.port()}}; }
  std::string output() const override { return "dtr"; }
  std::string other_output() const override { return "rts"; }
  bool is_on(const std::string& output) const override { return (port_.modem_lines() & (output == "dtr" ? TIOCM_DTR : TIOCM_RTS)) != 0; }
  void behave(Behaviour behaviour) override {
    if (behaviour == Behaviour::HangsUp) port_.unplug();
  }
  std::map<Behaviour, std::string> impossible() const override {
    const std::string why = "lines answer nothing: the kernel tells whether the adapter is there";
    return {{Behaviour::Mute, why},      {Behaviour::Late, why},    {Behaviour::Garbage, why},
            {Behaviour::Truncated, why}, {Behaviour::Refuses, why}, {Behaviour::Lies, why}};
  }
  bool acknowledges() const override { return false; }
  bool reads_back() const override { return false; }

 private:
  PtyPort port_;
};

}  // namespace

std::unique_ptr<InstrumentRig> make_serial_lines_instrument_rig() { return std::make_unique<SerialLinesRig>(); }

}  // namespace hilcop
