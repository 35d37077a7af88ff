// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keeper/driver.h"
#include "keeper/instrument.h"

namespace hilcop {

enum class SafeState { Off, On, Keep };

/// What several outputs draw from: their power-ons are never closer than `stagger` (inrush current).
struct Supply {
  std::string name;  // of this host: "bench/supply"
  Nanoseconds stagger{};
};

/// What a client wants of one channel; travels with its lease.
struct LeaseRequest {
  InstrumentConfig instrument;
  std::string channel;
  std::string holder;  // for people: "dut board1 (hilcop run, pid 4711)"
  SafeState safe_state = SafeState::Off;
  /// On is the channel's off (a normally closed contact, a line that is asserted when low): of set, get, safe_state and min_off
  /// alike, so that nobody but the keeper knows of it.
  bool inverted = false;
  Nanoseconds min_off{};               // enforced by the keeper before the next on, also across runs
  std::optional<Deadline> wait_until;  // queue while somebody else holds it; nullopt: Error{Busy} at once, naming the holder
  std::optional<Supply> supply;        // each on waits for its turn; not with SafeState::On, which is nobody's turn
};

/// One channel, held as long as this object lives (and the process: the keeper watches it). Thread-safe, calls block.
class Lease {
 public:
  virtual ~Lease() = default;
  /// An on that waits for its time or its turn is not carried out any more when this call ends without it (an interrupt), when an
  /// off comes, or when the lease ends. Its details say {"supply": {"name", "waited_s"}} where there is one.
  virtual SwitchResult set(bool on, const nlohmann::json& options, Deadline deadline) = 0;
  /// Carried out by the keeper at a steady-clock time; returns when it was done.
  virtual SwitchResult set_at(SteadyTime when, bool on, const nlohmann::json& options, Deadline deadline) = 0;
  virtual std::optional<bool> get(Deadline deadline) = 0;
  virtual void arm(const nlohmann::json& options, Deadline deadline) = 0;
  /// Waits for "armed.fired" of this channel; nullopt at the deadline.
  virtual std::optional<SwitchResult> wait_fired(Deadline deadline) = 0;
  virtual nlohmann::json endpoint(Deadline deadline) = 0;
  virtual nlohmann::json report(Deadline deadline) = 0;
  /// See Instrument::measure and adjust.
  virtual Reading measure(Deadline deadline) = 0;
  virtual nlohmann::json adjust(const nlohmann::json& setting, Deadline deadline) = 0;
  /// {"switch_count": n, "off_since_ns": ...}: what the keeper remembers of the channel.
  virtual nlohmann::json status(Deadline deadline) = 0;
  virtual const std::string& channel() const = 0;
  /// Gives the lease back now: returns when the channel is at its safe state. Throws Error. The destructor does it quietly.
  virtual void release(Deadline deadline) = 0;
};

/// A connection to the keeper of this host and user; starts one on demand. When the connection breaks, every call throws
/// Error{Disconnected} and a new keeper is started so that safe states are applied; leases are not taken again by themselves.
class KeeperClient {
 public:
  struct Options {
    std::filesystem::path socket;   // empty: runtime_dir()/keeper.sock
    std::filesystem::path program;  // the hilcop program that serves `keeper`; empty: $HILCOP_PROGRAM, else beside this process
    bool start_on_demand = true;
  };
  static std::unique_ptr<KeeperClient> connect(Options options, Deadline deadline);
  virtual ~KeeperClient() = default;

  virtual std::unique_ptr<Lease> lease(LeaseRequest request, Deadline deadline) = 0;
  /// Several outputs in one command, as close together as the instruments allow. All leases must be of this client.
  /// `at`: by the steady clock; without one, now.
  virtual std::vector<SwitchResult> set_together(const std::vector<Lease*>& leases, bool on, const nlohmann::json& options,
                                                 Deadline deadline, std::optional<SteadyTime> at = {}) = 0;
  /// Everything the keeper holds: instruments, channels, states, holders, since when, switch counts.
  virtual nlohmann::json status(Deadline deadline) = 0;
  /// Applies the safe state to every channel that nobody leases, and with `force` to the leased ones too (their holders get
  /// Error{Disconnected}). Blocks until all of it is done; returns what that was, by name, with `error` where an output is not at
  /// its safe state: the keeper goes on trying.
  virtual nlohmann::json safe_state(bool force, Deadline deadline) = 0;
  /// Events that concern this client's leases (armed.fired, machine.died). Called from the client's reader thread. A
  /// callback that is replaced, or taken away by an empty one, has ended when this returns; it must not call this.
  virtual void on_event(std::function<void(const nlohmann::json&)> callback) = 0;
};

}  // namespace hilcop
