// SPDX-License-Identifier: Apache-2.0
// When a channel is switched: at its time, after its minimum off time, in its turn at its supply.
#include <algorithm>
#include <utility>

#include "keeper/channels.h"

namespace hilcop {

namespace {

Error not_switched_on(const ChannelKey& key, const std::string& why) {
  return {ErrorKind::Busy, object_of(key), "was not switched on: " + why, "switch it on again if it is wanted"};
}

}  // namespace

void Channels::check_set(std::uint64_t lease, bool on, Deadline deadline, SteadyTime at) {
  const auto& kept = leases_.at(lease);
  const auto& state = channels_[kept.key];
  if (state.restoring) throw Error(ErrorKind::Disconnected, object_of(kept.key), "its lease has ended", "open the bench again");
  if (!state.busy) begin_of(kept, on, deadline, at);
}

void Channels::set(std::uint64_t lease, bool on, const nlohmann::json& options, Deadline deadline, SteadyTime at, Outcome outcome) {
  check_set(lease, on, deadline, at);
  start({lease, on, options, deadline, at, std::move(outcome)});
}

SteadyTime Channels::begin_of(const KeptLease& lease, bool on, Deadline deadline, SteadyTime at) {
  const auto off_since = journal_.of(lease.key).off_since;
  if (on && channels_[lease.key].state != true && off_since) at = std::max(at, *off_since + lease.min_off);
  if (at > deadline.at())
    throw Error(ErrorKind::Timeout, object_of(lease.key), "its minimum off time, or the time asked for, lies after the deadline",
                "give the call more time");
  return at;
}

// Throws only while nothing else of the channel is under way.
void Channels::start(const Switch& wanted) {
  const auto& lease = leases_.at(wanted.lease);
  auto& state = channels_[lease.key];
  if (!wanted.on && on_waits(state)) {
    if (wanted.at - kHandOver > real_clock().now()) return queue_.at(wanted.at - kHandOver, [this, wanted] { start_or_tell(wanted); });
    withdraw_ons(lease.key, not_switched_on(lease.key, "an off came while it waited"));
  }
  if (!wanted.on && state.coming && !state.coming->on && wanted.at - kHandOver <= real_clock().now())
    withdraw_coming(lease.key, {ErrorKind::Busy, object_of(lease.key), "was switched off before the time asked for: another off came", ""});
  if (state.busy) {
    state.switches.push_back(wanted);
    return;
  }
  const auto at = begin_of(lease, wanted.on, wanted.deadline, wanted.at);
  if (wanted.on != (lease.rest.safe_state == SafeState::On)) leaves_safe(lease);
  state.busy = true;
  if (wanted.on && lease.supply) return take_turn(wanted, std::max(at, real_clock().now()), *lease.supply);
  if (at - kHandOver <= real_clock().now()) return switch_now(wanted, at);
  state.coming = std::make_shared<Coming>(Coming{wanted.on, wanted.outcome});
  queue_.at(at - kHandOver, [this, wanted, at, key = lease.key, coming = state.coming] {
    auto& channel = channels_[key];
    if (!leases_.contains(wanted.lease) || channel.restoring || channel.coming != coming) return;
    channel.coming.reset();
    switch_now(wanted, at);
  });
}

void Channels::start_or_tell(const Switch& wanted) {
  const auto lease = leases_.find(wanted.lease);
  const ChannelKey key = lease != leases_.end() ? lease->second.key : ChannelKey("instrument", "?");
  try {
    if (lease == leases_.end() || channels_[key].restoring) throw Error(ErrorKind::Disconnected, object_of(key), "its lease has ended");
    start(wanted);
  } catch (const Error& error) {
    wanted.outcome(nullptr, &error);
    if (lease != leases_.end() && !channels_[key].restoring) next_switch(key);
  }
}

void Channels::take_turn(const Switch& wanted, SteadyTime ready, const Supply& supply) {
  const ChannelKey key = leases_.at(wanted.lease).key;
  const auto coming = channels_[key].coming = std::make_shared<Coming>(Coming{true, wanted.outcome});
  const auto turn = [this, wanted, ready, supply, key, coming](SteadyTime begin) {
    channels_[key].coming.reset();
    auto turned = wanted;
    turned.outcome = [this, ready, supply, begin, ticket = coming->ticket, outcome = wanted.outcome](const nlohmann::json& result,
                                                                                                     const Error* error) {
      supplies_.done(ticket, error == nullptr ? switch_result_from_json(result).acknowledged : real_clock().now());
      if (error != nullptr) return outcome(result, error);
      auto told = result;
      told["details"]["supply"] = {{"name", supply.name}, {"waited_s", std::chrono::duration<double>(begin - ready).count()}};
      outcome(told, nullptr);
    };
    switch_now(turned, begin);
  };
  const auto expired = [this, wanted, supply, key] {
    channels_[key].coming.reset();
    const Error error(ErrorKind::Timeout, object_of(key),
                      "was not switched on: its turn at supply '" + supply.name + "' lies after the deadline",
                      "give the call more time, or a smaller stagger_ms in lab-config");
    wanted.outcome(nullptr, &error);
    next_switch(key);
  };
  coming->ticket = supplies_.wait(supply, ready, wanted.deadline, turn, expired);
}

void Channels::switch_now(const Switch& wanted, SteadyTime at) {
  const auto lease = leases_.at(wanted.lease);
  const auto on_wanted = std::make_shared<std::atomic<bool>>(true);
  const auto told = std::make_shared<bool>(false);  // the instrument; read on the main thread after its job
  if (wanted.on) channels_[lease.key].on_wanted = on_wanted;
  run(
      held_[lease.key.first], false, at,
      [lease, on_wanted, told, on = wanted.on, options = wanted.options, deadline = wanted.deadline](Instrument& instrument) {
        if (!*lease.alive) throw Error(ErrorKind::Disconnected, object_of(lease.key), "its lease has ended");
        // Other channels may have kept the instrument busy meanwhile. An off is carried out however late it is.
        if (!*on_wanted) throw not_switched_on(lease.key, "it was withdrawn while the instrument was busy");
        if (on && deadline.expired())
          throw Error(ErrorKind::Timeout, object_of(lease.key), "was not switched on: the instrument was busy past the deadline",
                      "give the call more time");
        *told = true;
        return to_json(set_as(instrument, lease.key.second, on, lease.rest.inverted, options, deadline));
      },
      [this, lease, told, on = wanted.on, outcome = wanted.outcome](const nlohmann::json& result, const Error* error) {
        if (error == nullptr) switch_done(lease.key, on, lease.rest.inverted, switch_result_from_json(result).acknowledged);
        if (error != nullptr && *told) nobody_knows(lease.key, on, lease.rest.inverted);
        outcome(result, error);
        next_switch(lease.key);
      });
}

void Channels::switch_done(const ChannelKey& key, bool on, bool inverted, SteadyTime when) {
  channels_[key].state = on;
  journal_.switched(key, on, inverted, when);
}

// It was told and did not say that it had done so: it may have, or may do so yet. If it was to go off, it did so now at the earliest.
void Channels::nobody_knows(const ChannelKey& key, bool on, bool inverted) {
  channels_[key].state.reset();
  if (!on) journal_.found_off(key, inverted, real_clock().now());
}

void Channels::leaves_safe(const KeptLease& lease) {
  if (lease.rest.safe_state == SafeState::Keep || journal_.of(lease.key).held) return;
  journal_.hold(lease.key, held_[lease.key.first].instrument->config(), lease.rest);
}

void Channels::adjust(std::uint64_t id, const nlohmann::json& setting, Deadline deadline, Outcome outcome) {
  const auto& lease = leases_.at(id);
  auto& state = channels_[lease.key];
  if (state.state != true) {
    leaves_safe(lease);
    state.state.reset();
  }
  call(
      id, deadline, [setting](Instrument& i, const std::string& c, bool, Deadline d) { return i.adjust(c, setting, d); },
      std::move(outcome));
}

void Channels::next_switch(const ChannelKey& key) {
  auto& state = channels_[key];
  state.busy = false;
  if (state.switches.empty()) return;
  const auto next = std::move(state.switches.front());
  state.switches.pop_front();
  start_or_tell(next);
}

bool Channels::on_waits(const Channel& channel) {
  return (channel.coming && channel.coming->on) ||
         std::any_of(channel.switches.begin(), channel.switches.end(), [](const Switch& next) { return next.on; });
}

void Channels::withdraw(std::uint64_t id) {
  const ChannelKey key = leases_.at(id).key;
  if (const auto& on_wanted = channels_[key].on_wanted) *on_wanted = false;
  const bool was_coming = channels_[key].coming && channels_[key].coming->on;
  withdraw_ons(key, not_switched_on(key, "it was withdrawn while it waited"));
  if (was_coming) next_switch(key);
}

void Channels::withdraw_coming(const ChannelKey& key, const Error& why) {
  auto& state = channels_[key];
  const auto coming = std::exchange(state.coming, nullptr);
  if (!coming) return;
  supplies_.leave(coming->ticket);
  state.busy = false;
  coming->outcome(nullptr, &why);
}

void Channels::withdraw_ons(const ChannelKey& key, const Error& why) {
  auto& state = channels_[key];
  if (state.coming && state.coming->on) withdraw_coming(key, why);
  std::vector<Outcome> outcomes;
  for (const auto& next : state.switches)
    if (next.on) outcomes.push_back(next.outcome);
  std::erase_if(state.switches, [](const Switch& next) { return next.on; });
  for (const auto& outcome : outcomes) outcome(nullptr, &why);
}

}  // namespace hilcop
