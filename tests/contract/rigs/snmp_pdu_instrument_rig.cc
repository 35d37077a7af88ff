// SPDX-License-Identifier: Apache-2.0
#include "contract/protocols/snmp_agent.h"

namespace hilcop {
namespace {

class SnmpRig final : public InstrumentRig {
 public:
  nlohmann::json config() const override { return {{"host", "127.0.0.1"}, {"port", agent_.port()}, {"timeout_ms", 5'000}}; }
  bool is_on(const std::string& output) const override { return agent_.on.at(std::stoul(output) - 1); }
  void behave(Behaviour behaviour) override { agent_.behave(behaviour); }
  std::map<Behaviour, std::string> impossible() const override {
    return {{Behaviour::HangsUp, "UDP knows no connection: who has gone is mute"}};
  }

 private:
  SnmpAgent agent_;
};

}  // namespace

std::unique_ptr<InstrumentRig> make_snmp_pdu_instrument_rig() { return std::make_unique<SnmpRig>(); }

}  // namespace hilcop
