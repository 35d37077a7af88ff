// SPDX-License-Identifier: Apache-2.0
#include "keeper/channels.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace hilcop {
namespace {

constexpr unsigned kMostPatience = 20;  // times what it says that it needs, for an instrument that was slower before
constexpr Nanoseconds kRestoreAgain = 500ms;
constexpr Nanoseconds kGivenBackIn = 5s;

Channel channel_of(Instrument& instrument, const ChannelKey& key) {
  std::string names;
  for (const auto& channel : instrument.channels()) {
    if (channel.name == key.second) return channel;
    names += (names.empty() ? "" : ", ") + channel.name;
  }
  throw Error(ErrorKind::NotFound, object_of(key), "the instrument has no such channel", "choose one of: " + names);
}

bool switches(ChannelKind kind) { return kind == ChannelKind::Power || kind == ChannelKind::Output || kind == ChannelKind::Network; }

// What cannot be read can still be switched: a state that nobody understands must not leave a board powered. Half of the time is for it.
std::optional<bool> stands(Instrument& instrument, const std::string& channel, Deadline deadline) {
  try {
    return instrument.get(channel, deadline.at_most(deadline.remaining() / 2));
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Brings a channel to its safe state. Where nobody has told it to leave that, it is enough that it reads back that it is there; after
// a command that may be carried out late (`told`), it is not. Returns whether it switched.
nlohmann::json make_safe(Instrument& instrument, const ChannelKey& key, RestState rest, bool told, Deadline deadline) {
  if (!switches(channel_of(instrument, key).kind) || rest.safe_state == SafeState::Keep) return {{"switched", false}};
  const bool wanted = rest.safe_state == SafeState::On;
  if (!told && stands(instrument, key.second, deadline) == (wanted != rest.inverted)) return {{"switched", false}, {"on", wanted}};
  const auto result = set_as(instrument, key.second, wanted, rest.inverted, nlohmann::json::object(), deadline);
  if (result.read_back && *result.read_back != wanted)
    throw Error(ErrorKind::Protocol, object_of(key), std::string("was switched ") + (wanted ? "on" : "off") + " but reads back otherwise",
                "check the instrument and its wiring");
  return {{"switched", true}, {"on", wanted}, {"result", to_json(result)}};
}

}  // namespace

SwitchResult set_as(Instrument& instrument, const std::string& channel, bool on, bool inverted, const nlohmann::json& options,
                    Deadline deadline) {
  auto result = instrument.set(channel, on != inverted, options, deadline);
  if (result.read_back) result.read_back = *result.read_back != inverted;
  return result;
}

std::string object_of(const ChannelKey& key) { return "channel '" + key.second + "' of " + key.first; }

Channels::Channels(DriverTable drivers, Journal& journal, MainQueue& queue, EventOut event_out)
    : drivers_(drivers), journal_(journal), queue_(queue), event_out_(std::move(event_out)), supplies_(queue) {}

Channels::~Channels() = default;

Channels::Held& Channels::hold(const std::string& identity, const InstrumentConfig& config, const Driver& driver) {
  auto& held = held_[identity];
  if (held.instrument && (held.instrument->config().config != config.config || held.instrument->failed_to_open())) {
    if (held.users > 0 && !held.instrument->failed_to_open())
      throw Error(ErrorKind::Config, "instrument '" + config.name + "' (" + identity + ")",
                  "somebody holds it with other settings than yours", "use the same lab-config entry, or wait until it is free");
    if (held.users == 0) held = {};
  }
  if (!held.instrument)
    held.instrument = std::make_unique<HeldInstrument>(
        driver, config, [this, identity](const std::string& channel, const std::string& kind, const nlohmann::json& data) {
          queue_.post([this, key = ChannelKey(identity, channel), kind, data] { instrument_event(key, kind, data); });
        });
  return held;
}

void Channels::run(Held& held, bool urgent, SteadyTime not_before, std::function<nlohmann::json(Instrument&)> action, Outcome outcome) {
  held.instrument->post(
      [this, action = std::move(action), outcome = std::move(outcome)](Instrument* instrument, const Error* open_error) {
        nlohmann::json result;
        std::shared_ptr<Error> error;
        try {
          if (instrument == nullptr) throw Error(*open_error);
          result = action(*instrument);
        } catch (const Error& failure) {
          error = std::make_shared<Error>(failure);
        } catch (const std::exception& failure) {
          error = std::make_shared<Error>(ErrorKind::Protocol, "instrument", failure.what());
        }
        queue_.post([outcome, result = std::move(result), error] { outcome(result, error.get()); });
      },
      urgent, not_before);
}

void Channels::lease(const InstrumentConfig& instrument, const std::string& channel, KeptLease wanted, std::optional<Deadline> wait_until,
                     const std::shared_ptr<std::atomic<bool>>& client_alive, Outcome outcome) {
  const Driver* driver = find_driver(drivers_, instrument.driver);
  if (driver == nullptr || !driver->open)
    throw Error(ErrorKind::Config, "instrument '" + instrument.name + "'", "'" + instrument.driver + "' is no driver that the keeper holds",
                "see `hilcop list`");
  if (wanted.supply && wanted.rest.safe_state == SafeState::On)
    throw Error(ErrorKind::Config, "channel '" + channel + "' of instrument '" + instrument.name + "'",
                "shares supply '" + wanted.supply->name + "', and its safe state would switch it on out of turn",
                "choose safe_state off or keep, or leave the supply out");
  wanted.key = {driver->identity(instrument), channel};
  auto& state = channels_[wanted.key];
  if (state.lease == 0) return grant(instrument, std::move(wanted), std::move(outcome));
  // On its way back to its safe state it is as good as free.
  if (state.restoring && !wait_until) wait_until = Deadline::in(kGivenBackIn);
  if (wait_until) {
    queue_.at(wait_until->at(), [this, key = wanted.key] { next_waiter(key); });
    state.waiters.push_back({std::move(wanted), instrument, *wait_until, client_alive, std::move(outcome)});
    return;
  }
  const auto& holder = leases_.at(state.lease);
  throw Error(ErrorKind::Busy, object_of(wanted.key),
              "held by " + holder.holder + ", pid " + std::to_string(holder.pid) + ", since " + holder.since,
              "wait for it with --wait, or end that process");
}

void Channels::grant(const InstrumentConfig& instrument, KeptLease wanted, Outcome outcome) {
  auto& held = hold(wanted.key.first, instrument, *find_driver(drivers_, instrument.driver));
  const ChannelKey key = wanted.key;
  wanted.id = ++last_lease_;
  wanted.since = to_iso8601(real_clock().utc_now());
  channels_[key].lease = wanted.id;
  ++held.users;
  const auto lease = leases_.emplace(wanted.id, std::move(wanted)).first->second;
  run(
      held, false, {},
      [key, lease, told = told_away(key, lease.rest), sessions = held.sessions](Instrument& opened) {
        channel_of(opened, key);
        if (*sessions == 0) opened.begin_session();
        ++*sessions;
        try {
          return make_safe(opened, key, lease.rest, told, Deadline::in(10s));
        } catch (...) {
          if (--*sessions == 0) opened.end_session();
          throw;
        }
      },
      [this, key, lease, outcome](const nlohmann::json& result, const Error* error) {
        if (error != nullptr) {
          leases_.erase(lease.id);
          channels_[key].lease = 0;
          --held_[key.first].users;
          // Whoever claimed it for the dead keeper's client did not get it: it is ours to bring to its safe state.
          const auto memory = journal_.of(key);
          if (memory.held) restore_later(key, *memory.held, memory.rest);
          for (const auto& waiting = std::exchange(channels_[key].restored, {}); const auto& told : waiting)
            told(memory.held ? error : nullptr);
          outcome(nullptr, error);
          return next_waiter(key);
        }
        leases_.at(lease.id).granted = true;
        auto& state = channels_[key];
        // Held the other way round before: what was its off is on now.
        if (journal_.of(key).inverted != lease.rest.inverted) state.state.reset();
        if (result.contains("on")) state.state = result["on"].get<bool>();
        if (result.value("switched", false))
          switch_done(key, result["on"], lease.rest.inverted, switch_result_from_json(result["result"]).acknowledged);
        // Nobody knows how long it has been off: the minimum off time is waited for in full.
        if (state.state == false && (!journal_.of(key).off_since || journal_.of(key).inverted != lease.rest.inverted))
          journal_.found_off(key, lease.rest.inverted, real_clock().now());
        if (journal_.of(key).held) journal_.safe(key);
        if (*lease.alive) return outcome({{"lease", lease.id}}, nullptr);
        end(lease.id, [](const Error*) {});  // its client went away meanwhile, or it was taken back by force
        const Error ended(ErrorKind::Disconnected, object_of(key), "its lease has ended");
        outcome(nullptr, &ended);
      });
}

void Channels::end(std::uint64_t id, const Restored& done) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return done(nullptr);
  const KeptLease lease = found->second;
  *lease.alive = false;
  auto& state = channels_[lease.key];
  state.restored.push_back(done);
  if (!lease.granted) return;  // it ends itself when it sees that it is not alive
  if (std::exchange(state.restoring, true)) return;
  const Error ended(ErrorKind::Disconnected, object_of(lease.key), "its lease has ended");
  withdraw_coming(lease.key, ended);
  withdraw_ons(lease.key, ended);
  for (const auto& offs = std::exchange(state.switches, {}); const auto& off : offs) off.outcome(nullptr, &ended);
  restore(lease.key, held_[lease.key.first].instrument->config(), lease.rest, true, [this, lease](const Error* left_away) {
    leases_.erase(lease.id);
    auto& channel = channels_[lease.key];
    channel.lease = 0;
    channel.restoring = false;
    channel.busy = false;
    --held_[lease.key.first].users;
    for (const auto& waiting = std::exchange(channel.restored, {}); const auto& told : waiting) told(left_away);
    next_waiter(lease.key);
  });
}

void Channels::restore(const ChannelKey& key, const InstrumentConfig& config, RestState rest, bool ends_session, const Restored& done) {
  // One identity is one thing, whatever the settings it was opened with.
  auto found = held_.find(key.first);
  const bool open = found != held_.end() && found->second.instrument && !found->second.instrument->failed_to_open();
  auto& held = open ? found->second : hold(key.first, config, *find_driver(drivers_, config.driver));
  const auto limit = find_driver(drivers_, config.driver)->answers_within * std::min(channels_[key].restore_failures + 1, kMostPatience);
  ++held.users;
  run(
      held, true, {},
      [key, rest, ends_session, limit, told = told_away(key, rest), sessions = held.sessions](Instrument& instrument) {
        nlohmann::json result = {{"switched", false}};
        std::optional<Error> failure;
        try {
          result = make_safe(instrument, key, rest, told, Deadline::in(limit));
        } catch (const Error& error) {
          failure = error;
        } catch (const std::exception& error) {
          failure = Error(ErrorKind::Protocol, object_of(key), error.what());
        }
        if (ends_session && --*sessions == 0) instrument.end_session();
        if (failure) throw Error(*failure);
        return result;
      },
      [this, key, config, rest, done](const nlohmann::json& result, const Error* error) {
        --held_[key.first].users;
        auto& state = channels_[key];
        if (error == nullptr) {
          if (result.contains("on")) state.state = result["on"].get<bool>();
          if (result.value("switched", false))
            switch_done(key, result["on"], rest.inverted, switch_result_from_json(result["result"]).acknowledged);
          if (journal_.of(key).held) journal_.safe(key);
          state.restore_failures = 0;
        } else {
          // Left powered is the worst that can be: try again until somebody leases it or it works.
          // Said at the 1st, 2nd, 4th, 8th ... failure.
          if (++state.restore_failures; (state.restore_failures & (state.restore_failures - 1)) == 0)
            log(LogLevel::Error, "keeper: {} is not in its safe state: {}", object_of(key), error->what());
          restore_later(key, config, rest);
          // What never left its safe state is at it, whether the instrument can say so or not.
          if (journal_.of(key).held) {
            const Error left_away(error->kind(), object_of(key),
                                  "could not be brought to its safe state '" + to_string(rest.safe_state) + "': " + error->what(),
                                  "it is tried again until it works; see to the instrument, and to what it powers");
            return done(&left_away);
          }
        }
        done(nullptr);
      });
}

// Whether the last command may have taken it away from its safe state, or may do so yet.
bool Channels::told_away(const ChannelKey& key, RestState rest) const {
  const auto found = channels_.find(key);
  if (found == channels_.end()) return journal_.of(key).held.has_value();
  const auto& channel = found->second;
  // What the instrument is busy with has not said yet how it ends.
  const bool known_safe = !channel.busy && channel.state && *channel.state == (rest.safe_state == SafeState::On);
  return journal_.of(key).held && !known_safe;
}

// Until it is there, whoever leases it meanwhile and fails.
void Channels::restore_later(const ChannelKey& key, const InstrumentConfig& config, RestState rest) {
  if (!journal_.of(key).held || std::exchange(channels_[key].restore_due, true)) return;
  queue_.at(real_clock().now() + kRestoreAgain, [this, key, config, rest] {
    auto& state = channels_[key];
    state.restore_due = false;
    if (!journal_.of(key).held) return;
    if (state.lease != 0) return restore_later(key, config, rest);
    restore(key, config, rest, false, [](const Error*) {});
  });
}

void Channels::next_waiter(const ChannelKey& key) {
  auto& state = channels_[key];
  while (!state.waiters.empty() && state.lease == 0) {
    auto waiter = std::move(state.waiters.front());
    state.waiters.pop_front();
    if (!*waiter.client_alive) continue;
    try {
      grant(waiter.instrument, std::move(waiter.wanted), waiter.outcome);
    } catch (const Error& error) {
      waiter.outcome(nullptr, &error);
    }
  }
  std::erase_if(state.waiters, [&](const Waiter& waiter) {
    if (!waiter.until.expired()) return false;
    const auto& holder = leases_.at(state.lease);
    const Error error(ErrorKind::Busy, object_of(key),
                      "still held by " + holder.holder + ", pid " + std::to_string(holder.pid) + ", since " + holder.since,
                      "wait longer, or end that process");
    waiter.outcome(nullptr, &error);
    return true;
  });
}

void Channels::call(std::uint64_t id, Deadline deadline, Action action, Outcome outcome) {
  const auto lease = leases_.at(id);
  run(
      held_[lease.key.first], false, {},
      [lease, deadline, action = std::move(action)](Instrument& instrument) {
        if (!*lease.alive) throw Error(ErrorKind::Disconnected, object_of(lease.key), "its lease has ended");
        return action(instrument, lease.key.second, lease.rest.inverted, deadline);
      },
      std::move(outcome));
}

void Channels::instrument_event(const ChannelKey& key, const std::string& kind, const nlohmann::json& data) {
  if (kind == "armed.fired") switch_done(key, false, false, switch_result_from_json(data).acknowledged);
  if (kind == "machine.died") switch_done(key, false, false, real_clock().now());
  const nlohmann::json event = {{"event", kind}, {"instrument", key.first}, {"channel", key.second}, {"data", data}};
  for (const auto& [id, lease] : leases_)
    if (lease.key.first == key.first && (kind != "armed.fired" || lease.key == key)) {
      auto addressed = event;
      addressed["lease"] = id;
      event_out_(id, addressed);
    }
}

}  // namespace hilcop
