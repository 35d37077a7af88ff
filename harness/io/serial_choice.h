// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/key_spec.h"
#include "io/serial_selector.h"

namespace hilcop {

/// Which serial port of this host lab-config means: by its path, or by what its adapter is (`usb:`).
class SerialChoice {
 public:
  /// `name`: the key of the path.
  static std::vector<KeySpec> keys(const std::string& name);
  /// Of a configuration that was checked by them.
  SerialChoice(const nlohmann::json& config, std::string name);

  bool given() const { return path_ || usb_; }
  /// For Driver::objection: neither or both are given, or a `usb:` that says nothing. Empty: none.
  std::string objection() const;
  /// "/dev/ttyUSB0", "usb {serial: A1B2}".
  std::string text() const;
  /// Two names of one port are one port; what is not there now is what lab-config calls it.
  std::string identity() const;
  /// Where it is now. Throws Error{NotFound, Config} on `object`, with what there is; a path is not looked at.
  std::string node(const std::string& object) const;
  /// Throws as node() and open_serial_stream().
  std::unique_ptr<ByteStream> open(const SerialSettings& settings, const std::string& object) const;

 private:
  std::string name_;
  std::optional<std::string> path_;
  std::optional<SerialSelector> usb_;
};

}  // namespace hilcop
