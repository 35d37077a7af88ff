// SPDX-License-Identifier: Apache-2.0
// A Shelly of the second generation with four switches (shelly-api-docs.shelly.cloud/gen2).
#include "contract/http_protocol.h"

namespace hilcop {
namespace {

class ShellyDevice final : public HttpProtocol {
 public:
  explicit ShellyDevice(Lamps& lamps) : lamps_(lamps) {}

 private:
  Answer act(const Request& request, Behaviour behaviour) override {
    auto& lamp = lamps_.at(static_cast<std::size_t>(request.query.at("id").back() - '0'));
    if (behaviour == Behaviour::Refuses) return {500, R"({"code":-105,"message":"Argument 'id', value 7 not found!"})"};
    const bool was = lamp;
    if (request.path == "/rpc/Switch.GetStatus")
      return {200, std::string(R"({"id":0,"source":"http","output":)") + (was ? "true}" : "false}")};
    if (behaviour == Behaviour::Sound) lamp = request.query.at("on") == "true";
    return {200, std::string(R"({"was_on":)") + (was ? "true}" : "false}")};
  }
  Lamps& lamps_;
};

class ShellyRig final : public HttpRig<ShellyDevice> {
 public:
  std::string output() const override { return "0"; }
  std::string other_output() const override { return "1"; }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_shelly_instrument_rig() { return std::make_unique<ShellyRig>(); }

}  // namespace hilcop
