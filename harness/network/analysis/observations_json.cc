// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/observations.h"

namespace hilcop::analysis {
namespace {

using nlohmann::json;

template <class T, class Fill>
json list_json(const std::vector<T>& all, const Fill& fill) {
  json list = json::array();
  for (const auto& one : all) {
    auto made = to_json(one.seen);
    fill(one, made);
    list.push_back(std::move(made));
  }
  return list;
}

json dns_json(const std::vector<DnsMessage>& all) {
  return list_json(all, [](const DnsMessage& one, json& made) {
    made.update(
        {{"multicast", one.multicast}, {"response", one.response}, {"truncated", one.truncated}, {"id", one.id}, {"code", one.code}});
    made["questions"] = made["answers"] = json::array();
    for (const auto& question : one.questions) made["questions"].push_back({{"name", question.name}, {"type", question.type}});
    for (const auto& answer : one.answers) {
      json record{{"name", answer.name}, {"type", answer.type}, {"ttl_s", answer.ttl_s}};
      if (answer.address.size != 0) record["address"] = answer.address.text();
      if (!answer.text.empty()) record["text"] = answer.text;
      made["answers"].push_back(std::move(record));
    }
  });
}

json dhcp_json(const std::vector<DhcpMessage>& all) {
  return list_json(all, [](const DhcpMessage& one, json& made) {
    made.update({{"type", one.type},
                 {"transaction", one.transaction},
                 {"client_mac", one.client_mac},
                 {"host_name", one.host_name},
                 {"vendor_class", one.vendor_class},
                 {"domain", one.domain},
                 {"offered", one.offered.text()},
                 {"requested", one.requested.text()},
                 {"server", one.server.text()},
                 {"lease_s", one.lease_s},
                 {"parameter_list", one.parameter_list},
                 {"options", one.options}});
  });
}

json http_json(const std::vector<HttpMessage>& all) {
  return list_json(all, [](const HttpMessage& one, json& made) {
    made.update({{"request", one.request}, {"content_type", one.content_type}, {"content_encoding", one.content_encoding}});
    made.update({{"chunked", one.chunked}, {"complete", one.complete}, {"body_bytes", one.body_size}});
    if (one.request)
      made.update({{"method", one.method}, {"target", one.target}, {"host", one.host}, {"user_agent", one.agent}});
    else
      made.update({{"status", one.status}, {"server", one.server}});
  });
}

json mqtt_json(const std::vector<MqttMessage>& all) {
  return list_json(all, [](const MqttMessage& one, json& made) {
    made.update({{"kind", static_cast<int>(one.kind)}, {"topics", one.topics}, {"payload_bytes", one.payload}});
    if (one.kind == MqttMessage::Kind::Connect)
      made.update({{"level", one.level},
                   {"client_id", one.client},
                   {"user", one.user},
                   {"has_password", one.has_password},
                   {"will_topic", one.will_topic}});
    if (one.kind == MqttMessage::Kind::ConnectAck) made["code"] = one.code;
  });
}

json tls_json(const Observations& all) {
  return {{"client_hellos", list_json(all.client_hellos,
                                      [](const TlsClientHello& one, json& made) {
                                        made.update({{"version", one.version}, {"versions", one.versions}, {"ciphers", one.ciphers}});
                                        made.update({{"sni", one.sni}, {"alpn", one.alpn}});
                                      })},
          {"server_hellos", list_json(all.server_hellos,
                                      [](const TlsServerHello& one, json& made) {
                                        made.update({{"version", one.version}, {"cipher", one.cipher}, {"alpn", one.alpn}});
                                      })},
          {"certificates", list_json(all.certificates,
                                     [](const TlsCertificates& one, json& made) {
                                       for (const auto& facts : one.chain)
                                         made["chain"].push_back({{"subject", facts.subject},
                                                                  {"issuer", facts.issuer},
                                                                  {"names", facts.names},
                                                                  {"not_before", facts.not_before},
                                                                  {"not_after", facts.not_after},
                                                                  {"sha256", facts.sha256}});
                                     })},
          {"alerts", list_json(all.alerts, [](const TlsAlert& one, json& made) {
             made.update({{"level", one.level}, {"description", one.description}});
           })}};
}

}  // namespace

json to_json(const std::vector<Place>& places) {
  json list = json::array();
  for (const auto& place : places)
    list.push_back({{"frame", place.frame}, {"offset", place.offset}, {"bytes", place.size}, {"file_offset", place.file_offset}});
  return list;
}

json to_json(const Seen& seen) {
  return {{"at", to_iso8601(seen.at)},
          {"flow", seen.flow == kNoFlow ? json() : json(seen.flow)},
          {"from", seen.from.text()},
          {"to", seen.to.text()},
          {"places", to_json(seen.places)}};
}

json to_json(const Observations& all) {
  return {
      {"dhcp", dhcp_json(all.dhcp)},
      {"dns", dns_json(all.dns)},
      {"ssdp", list_json(all.ssdp,
                         [](const SsdpMessage& one, json& made) {
                           made.update({{"start", one.start}, {"target", one.target}, {"unique_name", one.unique_name}});
                           made.update({{"location", one.location}, {"server", one.server}, {"kind", one.kind}});
                         })},
      {"ntp", list_json(all.ntp,
                        [](const NtpMessage& one, json& made) {
                          made.update({{"version", one.version}, {"mode", one.mode}, {"stratum", one.stratum}, {"leap", one.leap}});
                          made.update({{"reference", one.reference}, {"authenticated", one.authenticated}});
                          made["transmitted"] = one.transmitted;
                        })},
      {"coap", list_json(all.coap,
                         [](const CoapMessage& one, json& made) {
                           made.update({{"type", one.type}, {"class", one.code_class}, {"detail", one.code_detail}, {"id", one.id}});
                           made.update({{"host", one.host}, {"path", one.path}, {"query", one.query}, {"payload_bytes", one.payload}});
                         })},
      {"http", http_json(all.http)},
      {"mqtt", mqtt_json(all.mqtt)},
      {"tls", tls_json(all)},
      {"credentials", list_json(all.credentials,
                                [](const Credential& one, json& made) {
                                  made.update({{"protocol", one.protocol}, {"user", ascii_of(one.user)}});
                                  made["password"] = {{"bytes", one.password.size()}, {"sha256", sha256_hex(bytes_of_text(one.password))}};
                                })},
      {"malformed", all.malformed},
      {"not_kept", all.not_kept}};
}

}  // namespace hilcop::analysis
