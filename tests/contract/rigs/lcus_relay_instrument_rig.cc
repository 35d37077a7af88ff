// SPDX-License-Identifier: Apache-2.0
// An LCUS-4 that answers FF with lines of text.
#include <array>
#include <atomic>

#include "contract/far_end.h"

namespace hilcop {
namespace {

struct Relays {
  std::array<std::atomic<bool>, 4> on{};
};

class LcusProtocol final : public Protocol {
 public:
  explicit LcusProtocol(Relays& relays) : relays_(relays) {}

  std::optional<std::string> take(std::string& input, Behaviour behaviour) override {
    while (!input.empty() && input[0] != '\xa0' && input[0] != '\xff') input.erase(0, 1);
    if (input.starts_with('\xff')) return input.erase(0, 1), states();
    if (input.size() < 4) return std::nullopt;
    const auto channel = static_cast<unsigned char>(input[1]), on = static_cast<unsigned char>(input[2]);
    const bool sound = static_cast<unsigned char>(input[3]) == ((0xa0 + channel + on) & 0xff);
    input.erase(0, 4);
    if (sound && behaviour == Behaviour::Sound && channel >= 1 && channel <= relays_.on.size() && on <= 1)
      relays_.on[channel - 1U] = on == 1;
    return "";
  }

 private:
  std::string states() const {
    std::string text;
    for (std::size_t n = 0; n < relays_.on.size(); ++n) text += "CH" + std::to_string(n + 1) + (relays_.on[n] ? ": ON\r\n" : ": OFF\r\n");
    return text;
  }
  Relays& relays_;
};

class LcusRig final : public InstrumentRig {
 public:
  nlohmann::json config() const override {
    return {{"port", far_end_.serial_port()}, {"channels", 4}, {"status", "text"}, {"timeout_ms", 10'000}};
  }
  bool is_on(const std::string& output) const override { return relays_.on.at(std::stoul(output) - 1); }
  void behave(Behaviour behaviour) override { far_end_.behave(behaviour); }
  std::map<Behaviour, std::string> impossible() const override { return {{Behaviour::Refuses, "the board has no answer that refuses"}}; }
  bool acknowledges() const override { return false; }

 private:
  Relays relays_;
  FarEnd far_end_{std::make_unique<LcusProtocol>(relays_), FarEnd::Over::Serial};
};

}  // namespace

std::unique_ptr<InstrumentRig> make_lcus_relay_instrument_rig() { return std::make_unique<LcusRig>(); }

}  // namespace hilcop
