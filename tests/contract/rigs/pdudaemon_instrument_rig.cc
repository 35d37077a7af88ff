// SPDX-License-Identifier: Apache-2.0
// pdudaemon's HTTP listener (pdudaemon/httplistener.py); tests/interop has the real one.
#include "contract/http_protocol.h"

namespace hilcop {
namespace {

class PduDaemon final : public HttpProtocol {
 public:
  explicit PduDaemon(Lamps& lamps) : lamps_(lamps) {}

 private:
  Answer act(const Request& request, Behaviour behaviour) override {
    if (behaviour == Behaviour::Refuses || request.query.at("hostname") != "pdu-a") return {500, "Invalid request\n"};
    if (behaviour == Behaviour::Sound) lamps_.at(std::stoul(request.query.at("port"))) = request.path == "/power/control/on";
    return {200, "OK - accepted request\n"};
  }
  Lamps& lamps_;
};

class PdudaemonRig final : public HttpRig<PduDaemon> {
 public:
  nlohmann::json config() const override {
    auto config = HttpRig::config();
    config["pdu"] = "pdu-a";
    return config;
  }
  bool reads_back() const override { return false; }
};

}  // namespace

std::unique_ptr<InstrumentRig> make_pdudaemon_instrument_rig() { return std::make_unique<PdudaemonRig>(); }

}  // namespace hilcop
