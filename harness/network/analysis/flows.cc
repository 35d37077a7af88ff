// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/flows.h"

#include <algorithm>

namespace hilcop::analysis {
namespace {

constexpr std::uint16_t kAddress4 = 1, kAddress6 = 28;

constexpr const char* kMixed = "mixed";

void note_frame(Flow& flow, std::uint64_t number) {
  if (!flow.frames.empty() && !flow.frames_cut && flow.frames.back().last + 1 == number)
    flow.frames.back().last = number;
  else if (flow.frames.size() < Flow::kMostRuns)
    flow.frames.push_back({number, number});
  else
    flow.frames_cut = true;
  flow.last_frame = number;
}

void count_frame(Flow& flow, const Frame& frame, bool from_client) {
  auto& way = from_client ? flow.from_client : flow.from_server;
  ++way.packets;
  way.bytes += frame.packet.length;
  way.payload += frame.payload_length;
  if (const auto& earlier = frame.earlier) {
    way.packets += earlier->packets;
    way.bytes += earlier->bytes;
    flow.first = std::min(flow.first, earlier->first);
    for (const auto number : earlier->frames) note_frame(flow, number);
  }
  flow.first = std::min(flow.first, frame.packet.at);
  flow.last = std::max(flow.last, frame.packet.at);
  note_frame(flow, frame.packet.frame);
}

void sum_up(Traffic& sum, const Traffic& part) { sum.packets += part.packets, sum.bytes += part.bytes, sum.payload += part.payload; }

// A certificate may name addresses too, and many hosts at once: a name of one host is what is wanted.
std::string certified_name(const Flow& flow) {
  for (const auto& name : flow.certificate_names) {
    const bool host = !name.empty() && name[0] != '*' && name.find(':') == std::string::npos && (name.back() < '0' || name.back() > '9');
    if (host) return name;
  }
  return {};
}

KnownName server_name(const Flow& flow) {
  if (!flow.name.empty()) return {flow.name, flow.name_by};
  if (!flow.sni.empty()) return {flow.sni, "sni"};
  if (auto name = certified_name(flow); !name.empty()) return {std::move(name), "certificate"};
  return {};
}

std::string service_of(const Flow& flow) {
  switch (flow.protocol) {
    case 1:
      return "icmp";
    case 6:
    case 17:
      return std::to_string(flow.server.port) + (flow.protocol == 6 ? "/tcp" : "/udp");
    case 58:
      return "icmpv6";
    default:
      return "ip-" + std::to_string(flow.protocol);
  }
}

}  // namespace

void Flow::speaks(std::string_view what, bool content) {
  if (spoken++ == 0)
    application = what, by_content = content;
  else if (application != what)
    application = kMixed, by_content = false;
  else
    by_content = by_content && content;
}

void NameTable::learn(const DnsMessage& message, const Frame& in) {
  if (!message.response) return;
  const auto keep = [this](auto& names, const auto& key, const std::string& name) {
    if (names.size() < kMost || names.contains(key))
      names[key] = name;
    else
      ++not_kept_;
  };
  const auto asked_on = in.to == message.seen.to ? in.target_mac : in.from == message.seen.to ? in.source_mac : LinkAddress{};
  for (const auto& answer : message.answers) {
    if (answer.address.size == 0 || (answer.type != kAddress4 && answer.type != kAddress6)) continue;
    if (message.multicast) {
      keep(said_, answer.address, answer.name);
      continue;
    }
    // The name that was asked for, whatever aliases stand between.
    const auto& name = message.questions.empty() ? answer.name : message.questions[0].name;
    keep(asked_, std::pair{message.seen.to.address, answer.address}, name);
    if (asked_on != LinkAddress{}) keep(asked_on_link_, std::pair{asked_on, answer.address}, name);
  }
}

KnownName NameTable::name_of(const IpAddress& client, const LinkAddress& client_link, const IpAddress& server) const {
  if (const auto found = asked_.find({client, server}); found != asked_.end()) return {found->second, "dns"};
  if (const auto found = asked_on_link_.find({client_link, server}); found != asked_on_link_.end()) return {found->second, "dns"};
  if (const auto found = said_.find(server); found != said_.end()) return {found->second, "mdns"};
  return {};
}

std::uint32_t FlowTable::add(const Frame& frame, const NameTable& names) {
  auto key = frame.tuple();
  bool from_client = true;
  auto found = index_.find(key);
  if (found == index_.end()) {
    found = index_.find(key.turned());
    from_client = found == index_.end();
  }
  if (found == index_.end()) {
    if (flows_.size() == kMost) {
      ++not_kept_;
      return kNoFlow;
    }
    from_client = client_sends(frame);
    if (!from_client) key = key.turned();
    found = index_.emplace(key, static_cast<std::uint32_t>(flows_.size())).first;
    auto& made = flows_.emplace_back();
    made.client = key.one;
    made.server = key.other;
    made.protocol = key.protocol;
    made.first = made.last = frame.packet.at;
    made.first_frame = frame.earlier ? frame.earlier->frames.front() : frame.packet.frame;
    auto known = names.name_of(made.client.address, from_client ? frame.source_mac : frame.target_mac, made.server.address);
    made.name = std::move(known.name);
    made.name_by = known.by;
  }
  count_frame(flows_[found->second], frame, from_client);
  return found->second;
}

std::uint32_t FlowTable::find(const FiveTuple& tuple) const {
  auto found = index_.find(tuple);
  if (found == index_.end()) found = index_.find(tuple.turned());
  return found == index_.end() ? kNoFlow : found->second;
}

std::vector<Destination> FlowTable::destinations() const {
  std::map<std::pair<std::string, std::string_view>, Destination> all;
  for (std::uint32_t i = 0; i < flows_.size(); ++i) {
    const auto& flow = flows_[i];
    const auto given = server_name(flow);
    const auto name = given.name.empty() ? flow.server.address.text() : given.name;
    auto& sum = all[{name, given.by}];
    if (sum.flows.empty()) sum.first = flow.first, sum.last = flow.last;
    sum.name = name, sum.named_by = given.by;
    sum.addresses.insert(flow.server.address);
    if (!flow.application.empty()) sum.applications.insert(flow.application);
    sum.services.insert(service_of(flow));
    if (flow.server.port != 0) sum.ports.insert(flow.server.port);
    sum.flows.push_back(i);
    sum_up(sum.to, flow.from_client);
    sum_up(sum.from, flow.from_server);
    sum.first = std::min(sum.first, flow.first);
    sum.last = std::max(sum.last, flow.last);
  }
  std::vector<Destination> sorted;
  for (auto& [key, sum] : all) sorted.push_back(std::move(sum));
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.to.bytes > b.to.bytes; });
  return sorted;
}

}  // namespace hilcop::analysis
