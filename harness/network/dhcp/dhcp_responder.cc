// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/dhcp_responder.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr Ipv4 kDhcpEverybody{0xffffffff};
constexpr std::size_t kMostDhcpEchoed = 64;

const DhcpNetwork& checked_dhcp_network(const DhcpNetwork& network, const std::string& object) {
  network.check(object);
  return network;
}

std::string dhcp_addresses(const std::vector<Ipv4>& addresses) {
  std::string bytes;
  for (const auto address : addresses) bytes += address.bytes();
  return bytes;
}

// Why it is not for this server at all; "": it is.
std::string dhcp_not_served(const DhcpMessage& message) {
  if (message.reply) return "it is a reply: another server is on this network";
  if (message.relay != Ipv4{}) return "it came through a relay, and a bench has none";
  if (message.hardware_type != 1 || message.hardware.size() != 6) return "its hardware address is not one of Ethernet";
  if ((message.hardware[0] & 1) != 0) return "its hardware address is that of a group";
  return "";
}

}  // namespace

struct DhcpResponder::Asked {
  const DhcpMessage& message;
  std::optional<Ipv4> sent_to;
  SteadyTime now;
  std::string holder;
  DhcpDecision decision = {};

  void by_fault(const std::string& name) {
    if (std::find(decision.faults.begin(), decision.faults.end(), name) == decision.faults.end()) decision.faults.push_back(name);
  }
};

DhcpResponder::DhcpResponder(DhcpNetwork network, std::string object)
    : object_(std::move(object)), base_(checked_dhcp_network(network, object_)) {}

void DhcpResponder::keep_or_make(std::unique_ptr<Served>& served, const std::optional<DhcpNetwork>& network) {
  if (!network)
    served.reset();
  else if (!served || served->network != *network)
    served = std::make_unique<Served>(*network);
}

void DhcpResponder::set_faults(const DhcpFaults& faults) {
  faults.check(object_);
  const auto& first = faults.new_subnet ? *faults.new_subnet : base_.network;
  if (faults.second_server && (faults.second_server->server == first.server || faults.second_server->server == base_.network.server))
    throw Error(ErrorKind::Config, object_, "the second server has the identifier of the first, " + faults.second_server->server.text(),
                "give it another address");
  keep_or_make(renewed_, faults.new_subnet);
  keep_or_make(second_, faults.second_server);
  faults_ = faults;
}

DhcpDecision DhcpResponder::answer(const DhcpMessage& message, std::optional<Ipv4> sent_to, SteadyTime now) {
  Asked asked{message, sent_to, now, message.hardware_text()};
  asked.decision.reason = dhcp_not_served(message);
  if (!asked.decision.reason.empty()) return std::move(asked.decision);
  if (faults_.no_answer) {
    asked.by_fault("no_answer");
    asked.decision.reason = "the server is made not to answer";
    return std::move(asked.decision);
  }
  switch (message.kind()) {
    case DhcpKind::Discover:
      discover(asked);
      break;
    case DhcpKind::Request:
      request(asked);
      break;
    case DhcpKind::Decline:
      decline(asked);
      break;
    case DhcpKind::Release:
      release(asked);
      break;
    case DhcpKind::Inform:
      inform(asked);
      break;
    case DhcpKind::None:
      asked.decision.reason = "it is BOOTP, or of an unknown kind";
      break;
    case DhcpKind::Offer:
    case DhcpKind::Ack:
    case DhcpKind::Nak:
      asked.decision.reason = "only a server says that";
      break;
  }
  if (faults_.slow.count() > 0 && !asked.decision.replies.empty()) asked.by_fault("slow");
  return std::move(asked.decision);
}

void DhcpResponder::discover(Asked& asked) {
  if (second_ && faults_.second_server_first) offer(asked, *second_, true);
  offer(asked, current(), false);
  if (second_ && !faults_.second_server_first) offer(asked, *second_, true);
}

void DhcpResponder::offer(Asked& asked, Served& by, bool second) {
  if (second) asked.by_fault("conflicting_second_server");
  if (&by == renewed_.get()) asked.by_fault("new_subnet");
  if (faults_.offer_taken_address && !second) {
    asked.by_fault("offer_taken_address");
    reply(asked, by.network, DhcpKind::Offer, by.network.server);
  } else if (const auto address = by.leases.offer(asked.holder, asked.message.address(dhcp_option::kRequestedAddress), asked.now)) {
    reply(asked, by.network, DhcpKind::Offer, *address);
  } else {
    asked.decision.reason = "every address of the pool is leased";
  }
}

void DhcpResponder::request(Asked& asked) {
  const auto& message = asked.message;
  const auto server = message.address(dhcp_option::kServer), wish = message.address(dhcp_option::kRequestedAddress);
  const bool has_address = message.client != Ipv4{};
  asked.decision.situation = server ? "selecting" : (!has_address ? "rebooting" : (asked.sent_to ? "renewing" : "rebinding"));
  if (faults_.nak) {
    asked.by_fault("nak");
    return refuse(asked, "the server is made to refuse");
  }
  const bool ours = server && (*server == current().network.server || *server == base_.network.server);
  const bool seconds = server && second_ && *server == second_->network.server;
  if (server && !ours && !seconds) {
    current().leases.release(asked.holder, asked.now);
    asked.decision.reason = "it has chosen another server: " + server->text();
    return;
  }
  const auto address = has_address && !server ? std::optional(message.client) : (wish ? wish : std::optional(message.client));
  if (!address || *address == Ipv4{}) {
    asked.decision.reason = "it names no address that it wants";
    return;
  }
  const bool second = second_ && (server ? seconds && !ours : second_->leases.holds(asked.holder, *address));
  if (second) asked.by_fault("conflicting_second_server");
  if (!second && renewed_) asked.by_fault("new_subnet");
  grant(asked, second ? *second_ : current(), *address);
}

void DhcpResponder::grant(Asked& asked, Served& by, Ipv4 address) {
  const bool taken = faults_.offer_taken_address && address == by.network.server && &by != second_.get();
  if (taken) {
    asked.by_fault("offer_taken_address");
  } else if (!by.network.has_host(address)) {
    return refuse(asked, address.text() + " is not of this network");
  } else if (!by.leases.bind(asked.holder, address, asked.now, lease_of(asked, by.network))) {
    return refuse(asked, address.text() + " is not for this client");
  }
  reply(asked, by.network, DhcpKind::Ack, address);
}

void DhcpResponder::refuse(Asked& asked, const std::string& reason) {
  asked.decision.reason = reason;
  // Of the server that it asked, also where that is of the network before: udhcpc takes no NAK of another one.
  auto refusing = current().network;
  const auto server = asked.message.address(dhcp_option::kServer);
  if (server == base_.network.server || (second_ && server == second_->network.server)) refusing.server = *server;
  if (!server && asked.sent_to) refusing.server = *asked.sent_to;
  reply(asked, refusing, DhcpKind::Nak, {});
}

void DhcpResponder::decline(Asked& asked) {
  const auto address = asked.message.address(dhcp_option::kRequestedAddress).value_or(Ipv4{});
  auto& by = second_ && second_->leases.holds(asked.holder, address) ? *second_ : current();
  asked.decision.reason = by.leases.decline(asked.holder, address, asked.now)
                              ? "it was told that " + address.text() + " is taken: nobody gets it for a while"
                              : address.text() + " was not this client's";
}

void DhcpResponder::release(Asked& asked) {
  auto& by = second_ && second_->leases.holds(asked.holder, asked.message.client) ? *second_ : current();
  const bool held = by.leases.holds(asked.holder, asked.message.client);
  if (held) by.leases.release(asked.holder, asked.now);
  asked.decision.reason = asked.message.client.text() + (held ? " is given back" : " was not this client's");
}

// RFC 2131 4.3.5: it has an address from elsewhere.
void DhcpResponder::inform(Asked& asked) {
  if (!current().network.has_host(asked.message.client)) {
    asked.decision.reason = "it has an address of another network: " + asked.message.client.text();
    return;
  }
  if (renewed_) asked.by_fault("new_subnet");
  reply(asked, current().network, DhcpKind::Ack, {});
}

void DhcpResponder::reply(Asked& asked, const DhcpNetwork& network, DhcpKind kind, Ipv4 yours) {
  const auto& to = asked.message;
  const bool inform = to.kind() == DhcpKind::Inform;
  DhcpReply made;
  auto& message = made.message;
  message.reply = true;
  message.hardware = to.hardware;
  message.transaction = to.transaction;
  message.broadcast = to.broadcast;
  message.yours = yours;
  if (kind == DhcpKind::Ack) message.client = to.client;  // RFC 2131 table 3
  message.add(dhcp_option::kKind, std::string(1, static_cast<char>(kind)));
  message.add(dhcp_option::kServer, network.server.bytes());
  if (kind == DhcpKind::Nak)
    message.add(dhcp_option::kMessage, asked.decision.reason);
  else
    add_options(asked, network, message, !inform);
  if (const auto id = to.option(dhcp_option::kClientId); id && id->size() <= kMostDhcpEchoed && !id->empty())
    message.add(dhcp_option::kClientId, *id);

  // RFC 2131 4.1. The address that this host itself has cannot be sent to on the wire. An address of another network is no way back.
  made.to.from = network.server;
  const bool knows_it = to.client != Ipv4{} && kind != DhcpKind::Nak && network.has_host(to.client) && to.client != network.server;
  if (knows_it) {
    made.to.address = to.client;
  } else if (kind == DhcpKind::Nak || to.broadcast || yours == network.server || yours == base_.network.server) {
    made.to.address = kDhcpEverybody;
  } else {
    made.to.address = yours;
    made.to.hardware = to.hardware;
  }
  asked.decision.replies.push_back(std::move(made));
}

std::chrono::seconds DhcpResponder::lease_of(Asked& asked, const DhcpNetwork& network) const {
  if (!faults_.short_lease) return network.lease;
  asked.by_fault("short_lease");
  return *faults_.short_lease;
}

void DhcpResponder::add_options(Asked& asked, const DhcpNetwork& network, DhcpMessage& reply, bool lease) {
  if (lease) {
    // RFC 2131 4.4.5: renewing after half of it, rebinding after seven eighths.
    const auto span = static_cast<std::uint64_t>(lease_of(asked, network).count());
    reply.add_number(dhcp_option::kLeaseTime, static_cast<std::uint32_t>(span));
    reply.add_number(dhcp_option::kRenewal, static_cast<std::uint32_t>(span / 2));
    reply.add_number(dhcp_option::kRebinding, static_cast<std::uint32_t>(span * 7 / 8));
  }
  reply.add(dhcp_option::kMask, network.mask().bytes());
  const auto servers = [&](std::uint8_t code, const std::vector<Ipv4>& addresses, bool left_out, const char* fault) {
    if (addresses.empty()) return;
    if (left_out)
      asked.by_fault(fault);
    else
      reply.add(code, dhcp_addresses(addresses));
  };
  servers(dhcp_option::kRouters, network.routers, faults_.no_gateway, "no_gateway");
  servers(dhcp_option::kNameServers, network.name_servers, faults_.no_dns, "no_dns");
  servers(dhcp_option::kTimeServers, network.time_servers, false, "");
  if (!network.domain.empty()) reply.add(dhcp_option::kDomain, network.domain);
}

}  // namespace hilcop
