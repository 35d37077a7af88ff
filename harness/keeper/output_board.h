// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "keeper/instrument.h"

namespace hilcop {

/// An instrument of outputs that are switched one at a time: relay boards, PDUs, hubs, supplies. A driver says how one output is
/// written and, where the instrument can tell, read back; names, options, times and read-back are the same for all.
class OutputBoard : public Instrument {
 public:
  /// Outputs "1" to "count".
  static std::vector<Channel> numbered(int count, const std::string& detail = "relay");
  std::vector<Channel> channels() const override { return channels_; }
  /// Takes no options. Reads back after every switch.
  SwitchResult set(const std::string& channel, bool on, const nlohmann::json& options, Deadline deadline) override;
  std::optional<bool> get(const std::string& channel, Deadline deadline) override;

 protected:
  /// `object`: what errors call it: "relay board 'relay' (10.0.0.7:502)".
  OutputBoard(std::string object, std::vector<Channel> channels) : object_(std::move(object)), channels_(std::move(channels)) {}

  /// Switches the output channels()[index]; returns when the instrument has acknowledged it, where it does.
  virtual void write(std::size_t index, bool on, Deadline deadline) = 0;
  /// As the instrument itself reports it; nullopt: it cannot tell (never what was last written).
  virtual std::optional<bool> read(std::size_t index, Deadline deadline);

  const std::string& object() const { return object_; }
  std::size_t index_of(const std::string& channel) const;

 private:
  std::string object_;
  std::vector<Channel> channels_;
};

}  // namespace hilcop
