// SPDX-License-Identifier: Apache-2.0
// A device of nobody's: /out/<n>/on and /out/<n>/off switch, /out/<n> tells.
#include "contract/http_protocol.h"

namespace hilcop {
namespace {

class AnyDevice final : public HttpProtocol {
 public:
  explicit AnyDevice(Lamps& lamps) : lamps_(lamps) {}

 private:
  Answer act(const Request& request, Behaviour behaviour) override {
    auto& lamp = lamps_.at(static_cast<std::size_t>(request.path.at(5) - '0'));
    if (behaviour == Behaviour::Refuses) return {503, "busy"};
    if (request.path.size() == 6) return {200, std::string("{\"relay\":{\"state\":\"") + (lamp ? "closed" : "open") + "\"}}"};
    if (behaviour == Behaviour::Sound) lamp = request.path.ends_with("/on");
    return {200, "done"};
  }
  Lamps& lamps_;
};

class AnyRig final : public HttpRig<AnyDevice> {
 public:
  nlohmann::json config() const override {
    auto config = HttpRig::config();
    config["channels"] = {"1", "2"};
    config["switch_on"] = {{"target", "/out/{channel}/on"}, {"method", "POST"}, {"body", ""}};
    config["switch_off"] = {{"target", "/out/{channel}/off"}, {"method", "POST"}, {"body", ""}};
    config["accepted"] = "done";
    config["state"] = {{"target", "/out/{channel}"}, {"method", "GET"},     {"body", ""},
                       {"pointer", "/relay/state"},  {"is_on", "^closed$"}, {"is_off", "^open$"}};
    return config;
  }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_http_instrument_rig() { return std::make_unique<AnyRig>(); }

}  // namespace hilcop
