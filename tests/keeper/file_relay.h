// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "keeper/driver.h"

namespace hilcop {

/// A relay board whose contacts are files: what is on stays on whoever dies, as with a real one. Every switching is in "log", every
/// command in "asked".
/// config: {"dir", "slow_ms" (each switching takes so long), "punctual" (it gives up at the deadline), "unreadable" (its state is an
/// error)}. A contact whose file cannot be written refuses to switch. A file "mute" in the directory: what it is told it does not
/// acknowledge, and does not do; "refuses": it says so. Channel 1 can be adjusted: it has a file "adjusted-1" until it is switched off.
class FileRelay final : public Instrument {
 public:
  explicit FileRelay(const InstrumentConfig& config)
      : dir_(config.config.at("dir").get<std::string>()),
        slow_ms_(config.config.value("slow_ms", 0)),
        punctual_(config.config.value("punctual", false)),
        unreadable_(config.config.value("unreadable", false)) {}
  std::vector<Channel> channels() const override {
    return {{"1", ChannelKind::Power, ""}, {"2", ChannelKind::Output, ""}, {"3", ChannelKind::Output, ""}};
  }
  SwitchResult set(const std::string& channel, bool on, const nlohmann::json&, Deadline deadline) override {
    SwitchResult result;
    result.commanded = real_clock().now();
    std::ofstream(dir_ / "asked", std::ios::app) << channel << (on ? " on\n" : " off\n");
    if (std::filesystem::exists(dir_ / "refuses")) throw Error(ErrorKind::Protocol, "contact " + channel, "is refused", "see to it");
    if (std::filesystem::exists(dir_ / "mute")) throw Error(ErrorKind::Timeout, "contact " + channel, "did not answer", "see to it");
    const auto ready = result.commanded + std::chrono::milliseconds(slow_ms_);
    wait_until(Deadline(punctual_ ? std::min(ready, deadline.at()) : ready));
    if (punctual_ && ready > deadline.at()) throw Error(ErrorKind::Timeout, "file relay", "is too slow", "wait longer");
    if (!(std::ofstream(dir_ / channel) << (on ? "on" : "off") << std::flush))
      throw Error(ErrorKind::Protocol, "contact " + channel, "does not move", "see to it");
    result.acknowledged = real_clock().now();
    if (!on) std::filesystem::remove(dir_ / ("adjusted-" + channel));
    std::ofstream(dir_ / "log", std::ios::app) << channel << (on ? " on " : " off ") << to_ns(result.acknowledged) << "\n";
    result.read_back = on;
    return result;
  }
  std::optional<bool> get(const std::string& channel, Deadline) override {
    if (unreadable_) throw Error(ErrorKind::Protocol, "file relay", "has a state that nobody understands", "mend it");
    return is_on(dir_, channel);
  }
  nlohmann::json adjust(const std::string& channel, const nlohmann::json& setting, Deadline deadline) override {
    if (channel != "1") return Instrument::adjust(channel, setting, deadline);
    std::ofstream(dir_ / ("adjusted-" + channel)) << setting;
    return setting;
  }
  static bool is_on(const std::filesystem::path& dir, const std::string& channel) {
    std::string state;
    std::ifstream(dir / channel) >> state;
    return state == "on";
  }

 private:
  std::filesystem::path dir_;
  int slow_ms_;
  bool punctual_, unreadable_;
};

inline const Driver& file_relay_driver() {
  static const Driver driver{
      .name = "file-relay",
      .summary = "",
      .keys = {},
      .identity = [](const InstrumentConfig& config) { return "file:" + config.config.at("dir").get<std::string>(); },
      .open = [](const InstrumentConfig& config, InstrumentEvent) -> std::unique_ptr<Instrument> {
        return std::make_unique<FileRelay>(config);
      },
      .open_console = nullptr};
  return driver;
}

}  // namespace hilcop
