// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "keeper/held_instrument.h"
#include "keeper/journal.h"
#include "keeper/main_queue.h"
#include "keeper/supplies.h"

namespace hilcop {

/// A lease as the keeper knows it. `alive` is shared with jobs under way: what a dead lease queued is not carried out.
struct KeptLease {
  std::uint64_t id = 0;
  ChannelKey key;
  std::string holder;
  std::string since;  // UTC
  pid_t pid = 0;
  RestState rest;
  Nanoseconds min_off{};
  std::optional<Supply> supply;
  bool granted = false;  // the instrument is open and the channel at its safe state
  std::shared_ptr<std::atomic<bool>> alive = std::make_shared<std::atomic<bool>>(true);
};

/// What errors call a channel.
std::string object_of(const ChannelKey& key);
/// Switches with on and off, also in what is read back, as the lease counts them.
SwitchResult set_as(Instrument& instrument, const std::string& channel, bool on, bool inverted, const nlohmann::json& options,
                    Deadline deadline);

/// Told when a safe state was applied, or (not nullptr) could not be: then it is tried again until it works.
using Restored = std::function<void(const Error* left_away)>;
using Outcome = std::function<void(const nlohmann::json& result, const Error* error)>;

/// Every instrument and channel that the keeper holds: leases, switching, safe states. All calls come from the main thread and
/// return at once; outcomes are reported later, on the main thread.
class Channels {
 public:
  using EventOut = std::function<void(std::uint64_t lease, const nlohmann::json& event)>;
  Channels(DriverTable drivers, Journal& journal, MainQueue& queue, EventOut event_out);
  ~Channels();

  /// Grants, queues (wait_until) or refuses. The outcome's result is the lease's id.
  void lease(const InstrumentConfig& instrument, const std::string& channel, KeptLease wanted, std::optional<Deadline> wait_until,
             const std::shared_ptr<std::atomic<bool>>& client_alive, Outcome outcome);
  /// Ends a lease: its channel goes to its safe state, then the next in the queue gets it.
  void end(std::uint64_t lease, const Restored& done);
  bool holds(std::uint64_t lease) const { return leases_.contains(lease); }

  /// Throws what `set` would throw of itself: then the instrument is told nothing.
  void check_set(std::uint64_t lease, bool on, Deadline deadline, SteadyTime at);
  /// An off does not wait for a switch that waits for its time or its turn: that one is withdrawn.
  void set(std::uint64_t lease, bool on, const nlohmann::json& options, Deadline deadline, SteadyTime at, Outcome outcome);
  /// Its ons that the instrument was not told yet are not carried out.
  void withdraw(std::uint64_t lease);
  /// Any other call on the instrument, in its thread: with the channel, and whether its on is the channel's off.
  using Action = std::function<nlohmann::json(Instrument&, const std::string& channel, bool inverted, Deadline)>;
  void call(std::uint64_t lease, Deadline deadline, Action action, Outcome outcome);
  /// See Instrument::adjust. What was adjusted is away from its safe state: it is told to switch off at the end, whatever it reads.
  void adjust(std::uint64_t lease, const nlohmann::json& setting, Deadline deadline, Outcome outcome);
  nlohmann::json status_of(std::uint64_t lease) const;
  nlohmann::json status() const;

  /// Applies the safe state of every channel without a lease that is away from it. Returns those that it began with; `each` is told of
  /// the end of every one of them.
  using EachRestored = std::function<void(const ChannelKey&, const Error* left_away)>;
  std::vector<ChannelKey> restore_unleased(const EachRestored& each = {});
  std::vector<std::uint64_t> all_leases() const;
  /// Nothing is leased, waiting or away from its safe state.
  bool quiet() const;

 private:
  struct Waiter {
    KeptLease wanted;
    InstrumentConfig instrument;
    Deadline until;
    std::shared_ptr<std::atomic<bool>> client_alive;
    Outcome outcome;
  };
  struct Switch {
    std::uint64_t lease = 0;
    bool on = false;
    nlohmann::json options;
    Deadline deadline;
    SteadyTime at;
    Outcome outcome;
  };
  // A switch that waits for its time, or an on for its turn at its supply.
  struct Coming {
    bool on = false;
    Outcome outcome;
    std::uint64_t ticket = 0;
  };
  struct Channel {
    std::uint64_t lease = 0;  // 0: free
    bool restoring = false;
    std::vector<Restored> restored;  // who waits for the end of that
    bool restore_due = false;        // it failed, and is tried again
    unsigned restore_failures = 0;   // since it last worked
    std::optional<bool> state;
    bool busy = false;
    std::shared_ptr<Coming> coming;
    std::shared_ptr<std::atomic<bool>> on_wanted;  // of the on that the instrument's thread has, or had last: false: withdrawn
    std::deque<Switch> switches;
    std::deque<Waiter> waiters;
  };
  struct Held {
    std::unique_ptr<HeldInstrument> instrument;
    std::shared_ptr<int> sessions = std::make_shared<int>(0);  // touched by the instrument's thread alone
    int users = 0;                                             // leases and restores under way
  };

  Held& hold(const std::string& identity, const InstrumentConfig& config, const Driver& driver);
  void grant(const InstrumentConfig& instrument, KeptLease wanted, Outcome outcome);
  /// Runs `action` in the instrument's thread and reports on the main thread.
  void run(Held& held, bool urgent, SteadyTime not_before, std::function<nlohmann::json(Instrument&)> action, Outcome outcome);
  void next_waiter(const ChannelKey& key);
  SteadyTime begin_of(const KeptLease& lease, bool on, Deadline deadline, SteadyTime at);
  void start(const Switch& wanted);
  void start_or_tell(const Switch& wanted);
  void take_turn(const Switch& wanted, SteadyTime ready, const Supply& supply);
  static bool on_waits(const Channel& channel);
  void switch_now(const Switch& wanted, SteadyTime at);
  void withdraw_ons(const ChannelKey& key, const Error& why);
  void withdraw_coming(const ChannelKey& key, const Error& why);
  void nobody_knows(const ChannelKey& key, bool on, bool inverted);
  void leaves_safe(const KeptLease& lease);
  void switch_done(const ChannelKey& key, bool on, bool inverted, SteadyTime when);
  void next_switch(const ChannelKey& key);
  void restore(const ChannelKey& key, const InstrumentConfig& config, RestState rest, bool ends_session, const Restored& done);
  bool told_away(const ChannelKey& key, RestState rest) const;
  void restore_later(const ChannelKey& key, const InstrumentConfig& config, RestState rest);
  void instrument_event(const ChannelKey& key, const std::string& kind, const nlohmann::json& data);

  DriverTable drivers_;
  Journal& journal_;
  MainQueue& queue_;
  EventOut event_out_;
  std::map<std::uint64_t, KeptLease> leases_;
  std::map<ChannelKey, Channel> channels_;
  std::map<std::string, Held> held_;
  Supplies supplies_;
  std::uint64_t last_lease_ = 0;
};

}  // namespace hilcop
