// SPDX-License-Identifier: Apache-2.0
#include "keeper/http_board.h"

#include "keeper/secret.h"

namespace hilcop {
namespace {

using Type = KeySpec::Type;
using nlohmann::json;

// What is not looked at must not look as if it were.
void check_tls_keys(const json& config, const std::string& object) {
  const bool with_ca = !config.at("ca_file").is_null(), insecure = config.at("insecure");
  if (config.at("scheme") == "http" && (with_ca || insecure))
    throw Error(ErrorKind::Config, object, std::string("`") + (with_ca ? "ca_file" : "insecure") + ":` is for https",
                "say `scheme: https`, or leave it out");
  if (with_ca && insecure) throw Error(ErrorKind::Config, object, "`insecure: true` does not look at `ca_file:`", "leave one of them out");
}

HttpServer server_of(const json& config) {
  HttpServer server;
  server.host = config.at("host");
  server.tls = config.at("scheme") == "https";
  server.port = config.at("port").is_null() ? (server.tls ? 443 : 80) : config.at("port").get<int>();
  if (!config.at("ca_file").is_null()) server.ca_file = config.at("ca_file").get<std::string>();
  server.any_certificate = config.at("insecure");
  return server;
}

std::string object_of(const std::string& what, const InstrumentConfig& instrument) {
  return what + " '" + instrument.name + "' (" + http_address(instrument) + ")";
}

}  // namespace

std::vector<KeySpec> http_keys(std::vector<KeySpec> own) {
  std::vector<KeySpec> keys{
      {.name = "host", .type = Type::String, .description = "its name or address", .required = true},
      {.name = "port", .type = Type::Integer, .description = "TCP port; absent: 80, for https 443", .min = 1, .max = 65535},
      {.name = "scheme", .type = Type::String, .description = "how it is spoken to", .fallback = "http", .choices = {"http", "https"}},
      {.name = "ca_file",
       .type = Type::Path,
       .description = "https: certificates (PEM) of who vouches for it; absent: those that this host trusts"},
      {.name = "insecure", .type = Type::Boolean, .description = "https without a look at its certificate", .fallback = false},
      {.name = "timeout_ms", .type = Type::Integer, .description = "for each answer", .fallback = 5000, .min = 10, .max = 60'000}};
  keys.insert(keys.end(), own.begin(), own.end());
  return keys;
}

std::string http_address(const InstrumentConfig& instrument) {
  const auto server = server_of(instrument.config);
  return server.host + ":" + std::to_string(server.port);
}

HttpBoard::HttpBoard(const std::string& what, const InstrumentConfig& instrument, std::vector<Channel> channels, HttpLogin login)
    : OutputBoard(object_of(what, instrument), std::move(channels)),
      timeout_(instrument.config.at("timeout_ms").get<int>()),
      client_(server_of(instrument.config), std::move(login), object(), Deadline::in(timeout_)) {
  check_tls_keys(instrument.config, object());
}

HttpLogin HttpBoard::login_of(const InstrumentConfig& instrument, HttpAuth how) {
  const std::string user = instrument.config.at("user"),
                    password = secret_of(instrument.config, "password", "instrument '" + instrument.name + "'");
  if (password.empty()) return {};
  return {how, user, password};
}

json HttpBoard::ask_json(const HttpRequest& request, Deadline deadline) const {
  const HttpAnswer answer{200, ask(request, deadline)};
  auto value = json_object(answer.body);
  if (value.is_null())
    throw client_.unfit(request, answer, "its answer is no JSON object", "see whether it is the instrument that lab-config says");
  return value;
}

json json_object(const std::string& text) {
  auto value = json::parse(text, nullptr, false);
  return value.is_object() ? value : json();
}

}  // namespace hilcop
