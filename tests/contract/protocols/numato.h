// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>

#include "contract/far_end.h"

namespace hilcop {

struct NumatoRelays {
  explicit NumatoRelays(std::size_t relays) : count(relays) {}
  std::size_t count;
  std::array<std::atomic<bool>, 64> on{};
};

/// A Numato module as the user guides of numato.com show it at a terminal: each command is echoed, a prompt ends each answer.
class NumatoProtocol final : public Protocol {
 public:
  explicit NumatoProtocol(NumatoRelays& relays) : relays_(relays) {}

  std::optional<std::string> take(std::string& input, Behaviour behaviour) override {
    const auto end = input.find('\r');
    if (end == std::string::npos) return std::nullopt;
    const auto line = input.substr(0, end);
    input.erase(0, end + 1);
    return line + "\n\r" + answer(line, behaviour) + ">";
  }

 private:
  std::string answer(const std::string& line, Behaviour behaviour) {
    if (line == "ver") return "00000008\n\r";
    if (line == "id get") return "00000042\n\r";
    for (const std::string verb : {"on", "off", "read"}) {
      const auto head = "relay " + verb + " ";
      if (!line.starts_with(head)) continue;
      const auto relay = index(line.substr(head.size()));
      if (!relay || behaviour == Behaviour::Refuses) break;
      auto& state = relays_.on.at(*relay);
      if (verb == "read") return std::string(state ? "on" : "off") + "\n\r";
      if (behaviour == Behaviour::Sound) state = verb == "on";
      return "";
    }
    return line.empty() ? "" : "Command Error\n\r";
  }

  std::optional<std::size_t> index(const std::string& name) const {
    std::size_t value = 0;
    if (relays_.count > 32) {
      if (name.size() != 2 || name.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
      value = std::stoul(name);
    } else {
      if (name.size() != 1) return std::nullopt;
      const char c = name[0];
      if (c >= '0' && c <= '9')
        value = static_cast<std::size_t>(c - '0');
      else if (c >= 'A' && c <= 'V')
        value = static_cast<std::size_t>(c - 'A') + 10;
      else if (c >= 'a' && c <= 'f' && relays_.count <= 16)
        value = static_cast<std::size_t>(c - 'a') + 10;
      else
        return std::nullopt;
    }
    return value < relays_.count ? std::optional(value) : std::nullopt;
  }

  NumatoRelays& relays_;
};

}  // namespace hilcop
