// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "contract/far_end.h"

namespace hilcop {

/// Three outputs of 30 V and 3 A, each with a load of 10 ohms.
struct ScpiOutputs {
  struct Output {
    std::atomic<bool> on{false};
    std::atomic<double> volts{1}, amps{3};
  };
  explicit ScpiOutputs(std::string idn = "Bench Works,PSU-3,A123,1.0") : identity(std::move(idn)) {}
  std::vector<std::string> not_understood() {
    const std::scoped_lock lock(mutex);
    return unknown;
  }

  std::array<Output, 3> all;
  const std::string identity;
  std::mutex mutex;
  std::vector<std::string> unknown, heard;  // lines that it did not understand; all
};

/// A supply with SCPI-99 and IEEE 488.2, and Rigol's "OUTP? CH1" and "OUTP CH1,ON".
class ScpiProtocol final : public Protocol {
 public:
  explicit ScpiProtocol(ScpiOutputs& outputs) : outputs_(outputs) {}

  std::optional<std::string> take(std::string& input, Behaviour behaviour) override {
    const auto end = input.find('\n');
    if (end == std::string::npos) return std::nullopt;
    auto line = input.substr(0, end);
    input.erase(0, end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    {
      const std::scoped_lock lock(outputs_.mutex);
      outputs_.heard.push_back(line);
    }
    if (line.empty()) return "";
    const auto answer = obey(line, behaviour);
    return answer.empty() ? "" : answer + "\n";
  }

 private:
  static std::string upper(std::string text) {
    for (auto& c : text)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return text;
  }

  std::string obey(const std::string& line, Behaviour behaviour) {
    auto text = upper(line);
    if (text.starts_with(':')) text.erase(0, 1);
    if (text.starts_with("SOUR:")) text.erase(0, 5);
    const auto space = text.find(' ');
    const auto head = text.substr(0, space);
    auto value = space == std::string::npos ? "" : text.substr(space + 1);
    auto* output = &outputs_.all.at(selected_);
    if (head == "*IDN?") return outputs_.identity;
    if (head == "*OPC?") return "1";
    if (head == "*CLS") return errors_.clear(), "";
    if (head == "SYST:ERR?") return next_error();
    if (head == "SYST:BEEP:STAT?") return "0";
    if (head == "SYST:BEEP:STAT" || head.starts_with("SYST:LOC") || head.starts_with("SYST:REM")) return "";
    if (value.starts_with("CH") && value.size() >= 3) {
      output = &outputs_.all.at(static_cast<std::size_t>(value[2] - '1'));
      value.erase(0, value.size() > 3 ? 4 : 3);
    }
    const double amps = output->on ? std::min(output->volts / 10, output->amps.load()) : 0;
    if (head == "VOLT?") return fmt::format("{:.3f}", output->volts.load());
    if (head == "CURR?") return fmt::format("{:.3f}", output->amps.load());
    if (head == "OUTP?" || head == "OUTP:STAT?") return output->on ? "1" : "0";
    if (head == "MEAS:VOLT?") return fmt::format("{:+.5E}", amps * 10);
    if (head == "MEAS:CURR?") return fmt::format("{:+.5E}", amps);
    if (behaviour == Behaviour::Refuses && !head.starts_with("INST")) return errors_.push_back("-221,\"Settings conflict\""), "";
    if (head == "INST:NSEL") return select(value), "";
    const bool acts = behaviour == Behaviour::Sound;
    if (head == "VOLT") return set(output->volts, value, 30, acts), "";
    if (head == "CURR") return set(output->amps, value, 3, acts), "";
    if (head == "OUTP" || head == "OUTP:STAT") {
      if (acts) output->on = value == "ON" || value == "1";
      return "";
    }
    errors_.push_back("-113,\"Undefined header\"");
    const std::scoped_lock lock(outputs_.mutex);
    outputs_.unknown.push_back(line);
    return "";
  }

  void select(const std::string& value) {
    if (value.size() == 1 && value[0] >= '1' && value[0] <= '3')
      selected_ = static_cast<std::size_t>(value[0] - '1');
    else
      errors_.push_back("-222,\"Data out of range\"");
  }
  void set(std::atomic<double>& into, const std::string& value, double most, bool acts) {
    const double wanted = std::stod(value);
    if (wanted < 0 || wanted > most) return errors_.push_back("-222,\"Data out of range\"");
    if (acts) into = wanted;
  }
  std::string next_error() {
    if (errors_.empty()) return "0,\"No error\"";
    const auto first = errors_.front();
    errors_.pop_front();
    return first;
  }

  ScpiOutputs& outputs_;
  std::size_t selected_ = 0;
  std::deque<std::string> errors_;
};

}  // namespace hilcop
