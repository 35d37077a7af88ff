// SPDX-License-Identifier: Apache-2.0
// Eight coils on Modbus TCP (Modbus Messaging on TCP/IP 1.0b, 3.1.3: MBAP header; Application Protocol 1.1b3, 6.1 and 6.5).
#include <array>
#include <atomic>

#include "contract/far_end.h"

namespace hilcop {
namespace {

constexpr std::size_t kHeader = 7, kRequest = 12;

struct Coils {
  std::array<std::atomic<bool>, 8> on{};
  std::atomic<bool> input{false};
};

class ModbusTcp final : public Protocol {
 public:
  explicit ModbusTcp(Coils& coils) : coils_(coils) {}

  std::optional<std::string> take(std::string& input, Behaviour behaviour) override {
    if (input.size() < kRequest) return std::nullopt;
    const std::string request = input.substr(0, kRequest);
    input.erase(0, kRequest);
    const auto function = static_cast<unsigned char>(request[kHeader]);
    const auto coil = static_cast<std::size_t>(static_cast<unsigned char>(request[9]));
    std::string pdu;
    if (behaviour == Behaviour::Refuses || coil >= coils_.on.size()) {
      pdu = {static_cast<char>(function | 0x80), behaviour == Behaviour::Refuses ? '\x04' : '\x02'};
    } else if (function == 5) {
      if (behaviour == Behaviour::Sound) coils_.on[coil] = request[10] != 0;
      pdu = request.substr(kHeader);
    } else if (function == 2) {
      pdu = {'\x02', '\x01', static_cast<char>(coils_.input ? 1 : 0)};
    } else {
      pdu = {'\x01', '\x01', static_cast<char>(coils_.on[coil] ? 1 : 0)};
    }
    return request.substr(0, 4) + '\0' + static_cast<char>(pdu.size() + 1) + request[6] + pdu;
  }

 private:
  Coils& coils_;
};

class ModbusRig final : public InstrumentRig {
 public:
  nlohmann::json config() const override {
    return {{"host", "127.0.0.1"}, {"port", far_end_.port()}, {"inputs", 1}, {"timeout_ms", 10'000}};
  }
  bool is_on(const std::string& output) const override { return coils_.on.at(std::stoul(output) - 1); }
  std::string sensor() const override { return "in1"; }
  void world(bool something) override { coils_.input = something; }
  void behave(Behaviour behaviour) override { far_end_.behave(behaviour); }

 private:
  Coils coils_;
  FarEnd far_end_{std::make_unique<ModbusTcp>(coils_), FarEnd::Over::Tcp};
};

}  // namespace

std::unique_ptr<InstrumentRig> make_modbus_relay_instrument_rig() { return std::make_unique<ModbusRig>(); }

}  // namespace hilcop
