// SPDX-License-Identifier: Apache-2.0
#include "contract/protocols/numato.h"

namespace hilcop {
namespace {

class NumatoRig final : public InstrumentRig {
 public:
  nlohmann::json config() const override { return {{"port", far_end_.serial_port()}, {"channels", relays_.count}, {"timeout_ms", 10'000}}; }
  std::string output() const override { return "16"; }  // its name in the protocol is a letter
  bool is_on(const std::string& output) const override { return relays_.on.at(std::stoul(output) - 1); }
  void behave(Behaviour behaviour) override { far_end_.behave(behaviour); }

 private:
  NumatoRelays relays_{32};
  FarEnd far_end_{std::make_unique<NumatoProtocol>(relays_), FarEnd::Over::Serial};
};

}  // namespace

std::unique_ptr<InstrumentRig> make_numato_relay_instrument_rig() { return std::make_unique<NumatoRig>(); }

}  // namespace hilcop
