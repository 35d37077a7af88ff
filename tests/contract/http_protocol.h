// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <string>

#include "contract/far_end.h"

namespace hilcop {

/// Enough of HTTP/1.1 (RFC 9112) for an imitated instrument: a request with its parsed query in, status and body out.
class HttpProtocol : public Protocol {
 public:
  struct Request {
    std::string path;
    std::map<std::string, std::string> query;  // unescaped
  };
  struct Answer {
    int status = 200;
    std::string body;
  };

  std::optional<std::string> take(std::string& input, Behaviour behaviour) override {
    const auto end = input.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    const auto begin = input.find(' ') + 1;
    const auto target = input.substr(begin, input.find(' ', begin) - begin);
    input.erase(0, end + 4);
    const auto answer = act(parsed(target), behaviour);
    return "HTTP/1.1 " + std::to_string(answer.status) +
           " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body;
  }

 protected:
  virtual Answer act(const Request& request, Behaviour behaviour) = 0;

 private:
  static std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%' || i + 2 >= text.size()) {
        out += text[i];
        continue;
      }
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    }
    return out;
  }
  static Request parsed(const std::string& target) {
    const auto mark = std::min(target.find('?'), target.size());
    Request request{target.substr(0, mark), {}};
    for (std::size_t at = mark; at < target.size();) {
      const auto end = std::min(target.find('&', at + 1), target.size());
      const auto pair = target.substr(at + 1, end - at - 1);
      const auto equals = std::min(pair.find('='), pair.size());
      request.query[unescaped(pair.substr(0, equals))] = unescaped(pair.substr(std::min(equals + 1, pair.size())));
      at = end;
    }
    return request;
  }
};

/// Outputs as the world sees them.
using Lamps = std::array<std::atomic<bool>, 8>;

/// A rig of an instrument with such a protocol: made with the lamps that it switches.
template <typename Device>
class HttpRig : public InstrumentRig {
 public:
  nlohmann::json config() const override {
    return {{"host", "127.0.0.1"}, {"port", far_end_.port()}, {"channels", 4}, {"timeout_ms", 10'000}};
  }
  bool is_on(const std::string& output) const override { return lamps_.at(std::stoul(output)); }
  void behave(Behaviour behaviour) override { far_end_.behave(behaviour); }

 private:
  Lamps lamps_{};
  FarEnd far_end_{std::make_unique<Device>(lamps_), FarEnd::Over::Tcp};
};

}  // namespace hilcop
