// SPDX-License-Identifier: Apache-2.0
#include "network/process/interception.h"

#include "base/error.h"
#include "network/port/service_socket.h"

namespace hilcop {

using nlohmann::json;

namespace {

constexpr const char* kJson = "application/json";
constexpr std::size_t kMostOfABody = 1u << 20;
constexpr int kQuicPort = 443, kHttpPort = 80;
constexpr const char* kListUrl = "http://crl.hilcop.example/revoked.crl";  // a name that the bench gives out, of those for examples
constexpr std::size_t kMostOfAnEvent = 4096;                               // of a client's data; wait() and the capture have all of it
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
          {"asks_for_staple", connection.hello ? json(connection.hello->asks_for_staple) : json()},
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

json figures(const SeenDatagram& seen, const std::function<std::string(const std::string&)>& names) {
  const auto& hello = seen.hello.hello;
  const bool named = hello && !hello->server_name.empty();
  return {{"protocol", seen.hello.kind == DatagramHello::Kind::Quic ? "quic" : "dtls"},
          {"version", seen.hello.version_text},
          {"client", seen.client.text()},
          {"aimed_at", seen.aimed_at.text()},
          {"server_name", named ? json(printable(hello->server_name)) : json()},
          {"name", printable(named || !names ? (named ? hello->server_name : "") : names(seen.aimed_at.address))},
          {"unread", seen.hello.unread}};
}

InterceptTarget target_in(const json& target) {
  return {target.value("server_name", ""), target.value("address", ""), target.value("port", std::uint16_t{0})};
}
InterceptTarget target_of(const json& how) { return target_in(how.value("target", json::object())); }

InterceptAnswer answer_of(const json& how) {
  InterceptAnswer made{target_in(how), how.at("path"), {how.value("status", 200), how.value("content_type", kJson), how.value("body", "")}};
  const auto senseless = [](const std::string& cause, const std::string& remedy) {
    return Error(ErrorKind::Config, "answer to HTTP of the TLS interception", cause, remedy);
  };
  if (!made.path.starts_with('/')) throw senseless("'" + made.path + "' is no path", "give one like /v1/register");
  if (made.answer.status < 200 || made.answer.status > 599)
    throw senseless(std::to_string(made.answer.status) + " is no status that ends a request", "give 200 to 599");
  if (made.answer.content_type.find_first_of("\r\n") != std::string::npos)
    throw senseless("its content type has a line end in it", "give one like application/json");
  if ((made.answer.status == 204 || made.answer.status == 304) && !made.answer.body.empty())
    throw senseless(std::to_string(made.answer.status) + " has no body (RFC 9110 8.6)", "leave it out, or give another status");
  if (made.answer.body.size() > kMostOfABody) throw senseless("its body has over 1 MiB", "give a shorter one");
  return made;
}

SteadyTime since_of(const json& how) { return from_ns(how.value("since_ns", std::int64_t{0})); }

CaseCertificates certificates_of(const Interception::Options& options, const std::string& list_url) {
  if (options.ca_pem.empty()) return CaseCertificates(std::nullopt);
  return CaseCertificates(read_authority(options.ca_pem, options.ca_key_pem, "CA of the lab", real_clock().utc_now()), list_url);
}

}  // namespace

Interception::Interception(Options options, Outbox& outbox) {
  std::vector<UniqueFd> listening;
  for (const int port : options.ports)
    for (const auto family : {IpFamily::V4, IpFamily::V6}) listening.push_back(tcp_service(family, port, options.interface));
  int others[2] = {};
  if (options.all_ports)
    for (const auto family : {IpFamily::V4, IpFamily::V6}) {
      listening.push_back(tcp_service(family, 0, options.interface));
      others[family == IpFamily::V6] = local_port(listening.back().get());
    }
  InterceptOptions how;
  if (options.all_ports || options.ports.contains(kHttpPort)) how.list_url = kListUrl;
  how.banners = std::move(options.banners);
  how.name_of_address = options.name_of_address;
  how.on_secrets = options.on_secrets;
  how.on_secrets_over = options.on_secrets_over;
  how.on_connection = [&outbox](const InterceptedConnection& connection) {
    outbox.event("tls", connection.ended.steady, connection.ended.utc, figures(connection, kMostOfAnEvent));
  };
  auto certificates = certificates_of(options, how.list_url);
  interceptor_ = std::make_unique<Interceptor>(std::move(listening), std::move(certificates), options.otherwise, std::move(how));
  std::vector<UniqueFd> ears;
  for (const auto family : {IpFamily::V4, IpFamily::V6}) ears.push_back(udp_ear(family, options.interface));
  const int silent = options.quic_silent ? kQuicPort : 0;
  Refusal refusing{unreachable_socket(IpFamily::V4, options.interface), unreachable_socket(IpFamily::V6, options.interface), silent};
  datagrams_ = std::make_unique<DatagramWatch>(std::move(ears), std::move(refusing),
                                               [&outbox, names = options.name_of_address](const SeenDatagram& seen) {
                                                 outbox.event("datagram_tls", seen.at.steady, seen.at.utc, figures(seen, names));
                                               });
  options.serve(std::move(options.ports), others[0], others[1]);  // the last: what cannot be led here leaves nothing behind
}

void Interception::plan(const json& how) {
  std::vector<InterceptCase> cases;
  for (const auto& name : how.at("cases")) cases.push_back(intercept_case_named(name.get<std::string>()));
  if (how.contains("target")) return interceptor_->plan().set(target_of(how), std::move(cases));
  if (cases.size() != 1) throw Error(ErrorKind::Config, "TLS interception", "has one case for all others", "name one, or give a target");
  interceptor_->plan().set_default(cases.front());
}

void Interception::answers(const json& how) {
  std::vector<InterceptAnswer> answers;
  for (const auto& answer : how.at("answers")) answers.push_back(answer_of(answer));
  interceptor_->plan().set_answers(std::move(answers));
}

json Interception::wait(const json& how, Deadline deadline) {
  return figures(interceptor_->wait_for(target_of(how), deadline, since_of(how)), std::string::npos);
}

json Interception::ended(const json& how) const {
  const auto going = interceptor_->going(target_of(how), since_of(how));
  const auto found = interceptor_->ended(target_of(how), since_of(how));
  json list = json::array();
  for (const auto& connection : found) list.push_back(figures(connection, found.size() > kMany ? kMostOfMany : kMostOfAnEvent));
  return {{"connections", list}, {"going", going}, {"no_longer_kept", interceptor_->counts().no_longer_kept}};
}

json Interception::status() const {
  const auto counts = interceptor_->counts();
  const auto seen = datagrams_->counts();
  return {{"accepted", counts.accepted},
          {"ended", counts.ended},
          {"turned_away", counts.turned_away},
          {"accept_failures", counts.accept_failures},
          {"no_longer_kept", counts.no_longer_kept},
          {"datagrams", {{"quic", seen.quic}, {"dtls", seen.dtls}, {"lost", seen.lost}}}};
}

Interception::Options interception_options_of(const json& how) {
  Interception::Options options;
  const auto ports = how.value("ports", json(options.ports));
  options.all_ports = ports == "all";
  if (!options.all_ports) options.ports = ports.get<std::set<int>>();
  for (const int port : options.ports)
    if (port < 1 || port > 65535)
      throw Error(ErrorKind::Config, "TLS interception", std::to_string(port) + " is no port", "give 1 to 65535, or \"all\"");
  const std::string quic = how.value("quic", "refused");
  if (quic != "refused" && quic != "silent")
    throw Error(ErrorKind::Config, "TLS interception", "does not do '" + quic + "' with QUIC", "choose one of: refused, silent");
  options.quic_silent = quic == "silent";
  for (const auto& banner : how.value("banners", json::array()))
    options.banners.push_back({target_in(banner), banner.at("text"), banner.value("at_once", false)});
  options.ca_pem = how.value("ca_pem", "");
  options.ca_key_pem = how.value("ca_key_pem", "");
  options.otherwise = intercept_case_named(how.value("case", "sound"));
  return options;
}

}  // namespace hilcop
