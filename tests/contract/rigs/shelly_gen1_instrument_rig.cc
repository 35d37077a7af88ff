// SPDX-License-Identifier: Apache-2.0
// A Shelly of the first generation with four relays (shelly-api-docs.shelly.cloud/gen1).
#include "contract/http_protocol.h"

namespace hilcop {
namespace {

class ShellyGen1Device final : public HttpProtocol {
 public:
  explicit ShellyGen1Device(Lamps& lamps) : lamps_(lamps) {}

 private:
  Answer act(const Request& request, Behaviour behaviour) override {
    auto& lamp = lamps_.at(static_cast<std::size_t>(request.path.back() - '0'));
    if (behaviour == Behaviour::Refuses) return {400, "Bad turn!"};
    const auto turn = request.query.find("turn");
    const bool wanted = turn == request.query.end() ? lamp.load() : turn->second == "on";
    if (behaviour == Behaviour::Sound) lamp = wanted;
    return {200, std::string(R"({"ison":)") + (wanted ? "true" : "false") + R"(,"has_timer":false,"overpower":false,"source":"http"})"};
  }
  Lamps& lamps_;
};

class ShellyGen1Rig final : public HttpRig<ShellyGen1Device> {
 public:
  std::string output() const override { return "0"; }
  std::string other_output() const override { return "1"; }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_shelly_gen1_instrument_rig() { return std::make_unique<ShellyGen1Rig>(); }

}  // namespace hilcop
