// SPDX-License-Identifier: Apache-2.0
#include "network/process/interception.h"

#include "base/error.h"
#include "network/port/service_socket.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr std::size_t kMostOfAnEvent = 4096;           // of a client's data; wait() and the capture have all of it
constexpr std::size_t kMany = 500, kMostOfMany = 256;  // so that a line stays under JsonLines' 16 MiB, each byte being four at most

// What a device sends need not be text: bytes that are none are told as \xNN.
std::string printable(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= 0x20 && byte < 0x7f && byte != '\\') || byte == '\n') {
      text += c;
    } else {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
  return text;
}

json moment(const std::optional<Moment>& at) { return at ? json(to_ns(at->steady)) : json(); }

json figures(const InterceptedConnection& connection, std::size_t most_data) {
  json alerts = json::array();
  for (const auto& alert : connection.alerts) alerts.push_back({{"code", alert.code}, {"name", alert.name}, {"fatal", alert.fatal}});
  json offered = json::array();
  if (connection.hello)
    for (const auto version : connection.hello->versions) offered.push_back(version_name(version));
  return {{"number", connection.number},
          {"client", connection.client.text()},
          {"aimed_at", connection.aimed_at.text()},
          {"name", printable(connection.name)},
          {"server_name", connection.hello ? json(connection.hello->server_name) : json()},
          {"offered_versions", offered},
          {"case", connection.given ? json(to_string(*connection.given)) : json()},
          {"outcome", to_string(connection.outcome)},
          {"cause", connection.cause},
          {"alerts", alerts},
          {"version", connection.version},
          {"cipher", connection.cipher},
          {"encrypted", connection.encrypted},
          {"data", printable(std::string_view(connection.data).substr(0, most_data))},
          {"data_bytes", connection.data.size()},
          {"data_cut", connection.data_cut || connection.data.size() > most_data},
          {"accepted_ns", to_ns(connection.accepted.steady)},
          {"handshake_done_ns", moment(connection.handshake_done)},
          {"ended_ns", to_ns(connection.ended.steady)}};
}

InterceptTarget target_of(const json& how) {
  const json target = how.value("target", json::object());
  return {target.value("server_name", ""), target.value("address", ""), target.value("port", std::uint16_t{0})};
}

SteadyTime since_of(const json& how) { return from_ns(how.value("since_ns", std::int64_t{0})); }

CaseCertificates certificates_of(const Interception::Options& options) {
  if (options.ca_pem.empty()) return CaseCertificates(std::nullopt);
  return CaseCertificates(read_authority(options.ca_pem, options.ca_key_pem, "CA of the lab", real_clock().utc_now()));
}

}  // namespace

Interception::Interception(Options options, Outbox& outbox) {
  std::vector<UniqueFd> listening;
  for (const int port : options.ports)
    for (const auto family : {IpFamily::V4, IpFamily::V6}) listening.push_back(tcp_service(family, port, options.interface));
  InterceptOptions how;
  how.name_of_address = options.name_of_address;
  how.on_secrets = options.on_secrets;
  how.on_secrets_over = options.on_secrets_over;
  how.on_connection = [&outbox](const InterceptedConnection& connection) {
    outbox.event("tls", connection.ended.steady, connection.ended.utc, figures(connection, kMostOfAnEvent));
  };
  interceptor_ = std::make_unique<Interceptor>(std::move(listening), certificates_of(options), options.otherwise, std::move(how));
}

void Interception::plan(const json& how) {
  std::vector<InterceptCase> cases;
  for (const auto& name : how.at("cases")) cases.push_back(intercept_case_named(name.get<std::string>()));
  if (how.contains("target")) return interceptor_->plan().set(target_of(how), std::move(cases));
  if (cases.size() != 1) throw Error(ErrorKind::Config, "TLS interception", "has one case for all others", "name one, or give a target");
  interceptor_->plan().set_default(cases.front());
}

json Interception::wait(const json& how, Deadline deadline) {
  return figures(interceptor_->wait_for(target_of(how), deadline, since_of(how)), std::string::npos);
}

json Interception::ended(const json& how) const {
  const auto found = interceptor_->ended(target_of(how), since_of(how));
  json list = json::array();
  for (const auto& connection : found) list.push_back(figures(connection, found.size() > kMany ? kMostOfMany : kMostOfAnEvent));
  return {{"connections", list}, {"no_longer_kept", interceptor_->counts().no_longer_kept}};
}

json Interception::status() const {
  const auto counts = interceptor_->counts();
  return {{"accepted", counts.accepted},
          {"ended", counts.ended},
          {"turned_away", counts.turned_away},
          {"accept_failures", counts.accept_failures},
          {"no_longer_kept", counts.no_longer_kept}};
}

}  // namespace hilcop
