// SPDX-License-Identifier: Apache-2.0
#include "contract/protocols/scpi.h"

namespace hilcop {
namespace {

class ScpiRig final : public InstrumentRig {
 public:
  nlohmann::json config() const override {
    return {{"host", "127.0.0.1"},
            {"port", far_end_.port()},
            {"outputs", {{{"volts", 5.0}, {"amps", 1.0}}, {{"volts", 3.3}}, nlohmann::json::object()}},
            {"timeout_ms", 10'000}};
  }
  bool is_on(const std::string& output) const override { return outputs_.all.at(std::stoul(output) - 1).on; }
  std::string sensor() const override { return "3/current"; }
  void world(bool something) override { outputs_.all[2].on = something; }
  void behave(Behaviour behaviour) override { far_end_.behave(behaviour); }

 private:
  ScpiOutputs outputs_;
  FarEnd far_end_{std::make_unique<ScpiProtocol>(outputs_), FarEnd::Over::Tcp};
};

}  // namespace

std::unique_ptr<InstrumentRig> make_scpi_supply_instrument_rig() { return std::make_unique<ScpiRig>(); }

}  // namespace hilcop
