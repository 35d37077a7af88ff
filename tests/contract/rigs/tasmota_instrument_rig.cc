// SPDX-License-Identifier: Apache-2.0
// A Tasmota device of four relays, as tasmota.github.io/docs (Commands) says; tests/interop has one that pdudaemon's driver is tried with.
#include "contract/http_protocol.h"

namespace hilcop {
namespace {

class TasmotaDevice final : public HttpProtocol {
 public:
  explicit TasmotaDevice(Lamps& lamps) : lamps_(lamps) {}

 private:
  Answer act(const Request& request, Behaviour behaviour) override {
    const auto command = request.query.at("cmnd");
    const auto space = command.find(' ');
    const auto key = command.substr(0, space);
    auto& lamp = lamps_.at(static_cast<std::size_t>(key.back() - '0'));
    const bool asked = space == std::string::npos;
    if (behaviour == Behaviour::Refuses) return {200, R"({"Command":"Error"})"};
    const bool wanted = asked ? lamp.load() : command.ends_with("On");
    if (behaviour == Behaviour::Sound) lamp = wanted;
    return {200, "{\"POWER" + key.substr(5) + "\":\"" + (wanted ? "ON" : "OFF") + "\"}"};
  }
  Lamps& lamps_;
};

}  // namespace

std::unique_ptr<InstrumentRig> make_tasmota_instrument_rig() { return std::make_unique<HttpRig<TasmotaDevice>>(); }

}  // namespace hilcop
