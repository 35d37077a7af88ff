// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/deadline.h"

namespace hilcop {

/// Power: an output that powers a DUT. Output: a relay contact, a line that we drive. Input: a line that we read.
/// Console: a byte stream offered at an address (see endpoint) for a worker to open. Meter: a quantity that it measures. Network: a
/// socket that a cable is plugged into (on: {"unix": its other end}) or pulled from (off), or an interface of this host that is moved into
/// the network of a process (on: {"network_pid": that}) and back (off): its endpoint() says {"interface": its name}.
enum class ChannelKind { Power, Output, Input, Console, Meter, Network };

/// One thing on an instrument that can be leased on its own.
struct Channel {
  std::string name;  // "1".."8", "power", "reset", "button", "console"
  ChannelKind kind = ChannelKind::Output;
  std::string detail;  // for people: "PL061 line 3, active low"
};

/// What a switch did. Times are steady-clock.
struct SwitchResult {
  SteadyTime commanded;     // just before the instrument was told
  SteadyTime acknowledged;  // when it said that it had switched
  std::optional<bool> read_back;
  nlohmann::json details = nlohmann::json::object();  // what the driver alone knows: {"disks": [{"lost_sectors", ...}],
                                                      // "effect_ns": when it saw the power itself come or go}
};

/// What a Meter channel measured: {5.02, "V"}. `at`: steady clock, when the instrument had answered.
struct Reading {
  double value = 0;
  std::string unit;  // SI, without prefix: "V", "A", "W"
  SteadyTime at;
};

/// Tells of something that happened by itself (an armed cut fired, a machine died). Called from any thread.
using InstrumentEvent = std::function<void(const std::string& channel, const std::string& kind, const nlohmann::json& data)>;

/// A thing on the bench, held open by the keeper. All calls come from the instrument's own queue, one at a time.
/// Every call ends by its deadline: Error{Timeout} otherwise. Errors name the instrument.
class Instrument {
 public:
  virtual ~Instrument() = default;
  virtual std::vector<Channel> channels() const = 0;

  /// The first channel was leased / the last lease is gone (safe states were applied before). A virtual machine makes and drops
  /// its disk overlay here; most instruments do nothing.
  virtual void begin_session() {}
  virtual void end_session() {}

  /// Switches a Power or Output channel. `options` are the driver's own, checked by it ({"loss": "torn", "seed": 7}).
  virtual SwitchResult set(const std::string& channel, bool on, const nlohmann::json& options, Deadline deadline) = 0;
  /// The state as the instrument itself reports it; nullopt where it cannot.
  virtual std::optional<bool> get(const std::string& channel, Deadline deadline) = 0;
  /// Where a Console channel can be opened: {"unix": "/path"}; which interface a Network channel is, {} for a socket.
  virtual nlohmann::json endpoint(const std::string& channel);
  /// Arms a switch-off that the instrument itself does at an event that only it sees:
  /// {"trigger": "disk-write", "disk": "data", "count": k, "loss": ..., "seed": ...}. The result comes as an event
  /// "armed.fired" with a SwitchResult. Disarmed by any set() of the channel. Throws Error{Unsupported} by default.
  virtual void arm(const std::string& channel, const nlohmann::json& options, Deadline deadline);
  /// Figures of the instrument or of a channel for evidence: identity, firmware, disk counters, CPU time. No side effects.
  virtual nlohmann::json report(const std::string& channel, Deadline deadline);
  /// Of a Meter channel. Throws Error{Unsupported} by default.
  virtual Reading measure(const std::string& channel, Deadline deadline);
  /// Sets what a Power channel gives ({"volts": 4.2, "amps": 0.5}) without switching it; holds until the channel is next set off,
  /// then lab-config's setting counts again. Returns what the instrument says that it is set to. Throws Error{Unsupported} by default.
  virtual nlohmann::json adjust(const std::string& channel, const nlohmann::json& setting, Deadline deadline);
};

/// SwitchResult as the keeper's protocol and the timeline carry it (times as *_ns).
nlohmann::json to_json(const SwitchResult& result);
SwitchResult switch_result_from_json(const nlohmann::json& value);
nlohmann::json to_json(const Reading& reading);
Reading reading_from_json(const nlohmann::json& value);
std::string to_string(ChannelKind kind);

}  // namespace hilcop
