// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "network/analysis/capture_report.h"

namespace hilcop::analysis {
namespace {

using nlohmann::json;

json traffic_json(const Traffic& traffic) {
  return {{"packets", traffic.packets}, {"bytes", traffic.bytes}, {"payload_bytes", traffic.payload}};
}

json flow_json(const Flow& flow) {
  json frames = json::array();
  for (const auto& run : flow.frames) frames.push_back({run.first, run.last});
  return {{"client", flow.client.text()},
          {"server", flow.server.text()},
          {"protocol", flow.protocol},
          {"first", to_iso8601(flow.first)},
          {"last", to_iso8601(flow.last)},
          {"frames", frames},
          {"frames_cut", flow.frames_cut},
          {"last_frame", flow.last_frame},
          {"from_client", traffic_json(flow.from_client)},
          {"from_server", traffic_json(flow.from_server)},
          {"name", flow.name},
          {"name_by", flow.name_by},
          {"sni", flow.sni},
          {"alpn", flow.alpn},
          {"certificate", flow.certificate},
          {"certificate_names", flow.certificate_names},
          {"application", flow.application},
          {"by_content", flow.by_content},
          {"opaque_bytes", flow.opaque},
          {"gap_bytes", flow.gap_bytes}};
}

json destination_json(const Destination& destination) {
  json addresses = json::array();
  for (const auto& address : destination.addresses) addresses.push_back(address.text());
  return {{"name", destination.name},
          {"named_by", destination.named_by},
          {"addresses", addresses},
          {"applications", destination.applications},
          {"services", destination.services},
          {"ports", destination.ports},
          {"flows", destination.flows},
          {"to", traffic_json(destination.to)},
          {"from", traffic_json(destination.from)},
          {"first", to_iso8601(destination.first)},
          {"last", to_iso8601(destination.last)}};
}

json tcp_json(const TcpCounts& counts) {
  return {{"connections", counts.connections},
          {"picked_up", counts.picked_up},
          {"forgotten", counts.forgotten},
          {"segments", counts.segments},
          {"bytes", counts.bytes},
          {"retransmitted_bytes", counts.retransmitted_bytes},
          {"out_of_order_segments", counts.out_of_order_segments},
          {"not_compared_bytes", counts.not_compared_bytes},
          {"conflicts", counts.conflicts},
          {"gaps", counts.gaps},
          {"gap_bytes", counts.gap_bytes}};
}

json finding_json(const CanaryFinding& finding) {
  auto made = to_json(finding.seen);
  made["canary"] = ascii_of(finding.canary);
  made["form"] = name_of(finding.form);
  made["within"] = finding.within;
  return made;
}

}  // namespace

json canaries_to_json(const CaptureReport& report) {
  json findings = json::array(), names = json::array();
  for (const auto& finding : report.canaries) findings.push_back(finding_json(finding));
  for (const auto& name : report.canary_names) names.push_back(ascii_of(name));
  json files = json::array();
  for (const auto& file : report.files)
    files.push_back({{"name", ascii_of(file.name)}, {"first_frame", file.first_frame}, {"frames", file.frames}});
  return {{"file", ascii_of(report.file)},
          {"files", files},
          {"frames", report.frames},
          {"bytes", report.bytes},
          {"canaries_searched", names},
          {"canaries", findings},
          {"canaries_not_kept", report.canaries_not_kept},
          {"opaque_bytes", report.opaque_bytes},
          {"absence_provable", report.absence_provable()},
          {"limits", report.limits}};
}

json to_json(const CaptureReport& report) {
  json interfaces = json::array(), flows = json::array(), destinations = json::array(), gaps = json::array(), conflicts = json::array();
  for (std::size_t i = 0; i < report.interfaces.size(); ++i) {
    json made{{"name", ascii_of(report.interfaces[i].name)}, {"link_type", static_cast<int>(report.interfaces[i].type)}};
    if (report.counts[i]) made["received"] = report.counts[i]->received, made["dropped"] = report.counts[i]->dropped;
    interfaces.push_back(std::move(made));
  }
  for (const auto& flow : report.flows) flows.push_back(flow_json(flow));
  for (const auto& destination : report.destinations) destinations.push_back(destination_json(destination));
  for (const auto& gap : report.gaps) {
    auto made = to_json(gap.seen);
    made["offset"] = gap.offset, made["bytes"] = gap.bytes, made["reason"] = name_of(gap.reason);
    gaps.push_back(std::move(made));
  }
  for (const auto& conflict : report.conflicts) {
    auto made = to_json(conflict.seen);
    made["offset"] = conflict.offset;
    conflicts.push_back(std::move(made));
  }
  auto made = canaries_to_json(report);
  made.update({{"snapped_frames", report.snapped_frames},
               {"first", to_iso8601(report.first)},
               {"last", to_iso8601(report.last)},
               {"interfaces", interfaces},
               {"damage", report.damage},
               {"unknown_blocks", report.unknown_blocks},
               {"unread", report.unread},
               {"flows", flows},
               {"frames_without_flow", report.frames_without_flow},
               {"names_not_kept", report.names_not_kept},
               {"destinations", destinations},
               {"tcp", tcp_json(report.tcp)},
               {"gaps", gaps},
               {"conflicts", conflicts},
               {"observations", to_json(report.observations)}});
  return made;
}

}  // namespace hilcop::analysis
