// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_leases.h"

#include <cstdint>
#include <tuple>

namespace hilcop {
namespace {

// FNV-1a: the same in every build and on every host.
std::uint64_t dhcp_holder_hash(const std::string& name) {
  std::uint64_t hash = 14695981039346656037u;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 1099511628211u;
  return hash;
}

}  // namespace

DhcpLeases::DhcpLeases(const DhcpNetwork& network) : first_(network.first), places_(network.last.value - network.first.value + 1) {}

std::optional<std::size_t> DhcpLeases::index(Ipv4 address) const {
  const std::size_t at = address.value - first_.value;
  return address >= first_ && at < places_.size() ? std::optional(at) : std::nullopt;
}

std::optional<std::size_t> DhcpLeases::place_of(const std::string& holder) const {
  const auto found = by_holder_.find(holder);
  return found == by_holder_.end() ? std::nullopt : std::optional(found->second);
}

// Never used; else offers, lapsed or not, the oldest first: who took none up will ask again; else what lapsed first of the rest, which
// somebody may still come back to.
std::optional<std::size_t> DhcpLeases::choose(const std::string& holder, SteadyTime now) const {
  std::optional<std::size_t> best;
  const auto rank = [&](std::size_t at) {
    const auto state = places_[at].state;
    return std::tuple(state == State::Free ? 0 : (state == State::Offered ? 1 : 2), places_[at].until);
  };
  const auto begin = dhcp_holder_hash(holder) % places_.size();
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const auto at = (begin + i) % places_.size();
    const auto state = places_[at].state;
    if (state == State::Free) return at;
    if (state != State::Offered && places_[at].until > now) continue;
    if (!best || rank(at) < rank(*best)) best = at;
  }
  return best;
}

void DhcpLeases::give(std::size_t at, const std::string& holder, State state, SteadyTime until) {
  if (places_[at].holder != holder) {
    by_holder_.erase(places_[at].holder);
    if (const auto before = place_of(holder)) places_[*before] = {};
  }
  places_[at] = {state, holder, until};
  if (!holder.empty()) by_holder_[holder] = at;
}

std::optional<Ipv4> DhcpLeases::offer(const std::string& holder, std::optional<Ipv4> wish, SteadyTime now) {
  auto at = place_of(holder);
  if (!at && wish)
    if (const auto wished = index(*wish); wished && places_[*wished].state == State::Free) at = wished;
  if (!at) at = choose(holder, now);
  if (!at) return std::nullopt;
  // A lease that is running, or was, is not made less by an offer.
  if (places_[*at].holder != holder || places_[*at].state != State::Bound) give(*at, holder, State::Offered, now + kOffered);
  return Ipv4{first_.value + static_cast<std::uint32_t>(*at)};
}

bool DhcpLeases::bind(const std::string& holder, Ipv4 address, SteadyTime now, Nanoseconds span) {
  const auto at = index(address);
  if (!at) return false;
  if (const auto own = place_of(holder); own && own != at) return false;
  const auto& place = places_[*at];
  // What was merely offered to somebody else is whose who comes first: a flood of DISCOVERs cannot keep out one that means it.
  if (place.holder != holder && (place.state == State::Bound || place.state == State::Declined) && place.until > now) return false;
  give(*at, holder, State::Bound, now + span);
  return true;
}

bool DhcpLeases::holds(const std::string& holder, Ipv4 address) const {
  const auto at = index(address);
  return at && place_of(holder) == at;
}

void DhcpLeases::release(const std::string& holder, SteadyTime now) {
  if (const auto at = place_of(holder)) places_[*at].until = now;
}

bool DhcpLeases::decline(const std::string& holder, Ipv4 address, SteadyTime now) {
  if (!holds(holder, address)) return false;
  const auto at = *index(address);
  by_holder_.erase(holder);
  places_[at] = {State::Declined, "", now + kDeclined};
  return true;
}

}  // namespace hilcop
