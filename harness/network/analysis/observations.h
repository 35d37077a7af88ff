// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "network/analysis/coap.h"
#include "network/analysis/dhcp.h"
#include "network/analysis/dns.h"
#include "network/analysis/http1.h"
#include "network/analysis/mqtt.h"
#include "network/analysis/ntp.h"
#include "network/analysis/ssdp.h"
#include "network/analysis/tls_stream.h"

namespace hilcop::analysis {

/// A user and a password in the plain, as they were: to_json tells their lengths and SHA-256 alone.
struct Credential {
  Seen seen;
  std::string protocol, user, password;
};

/// What the dissectors found, each kind in the order found. Of one kind kMostOfOneKind are kept, the rest is counted.
struct Observations {
  static constexpr std::size_t kMostOfOneKind = 20'000;

  std::vector<DhcpMessage> dhcp;
  std::vector<DnsMessage> dns;
  std::vector<SsdpMessage> ssdp;
  std::vector<NtpMessage> ntp;
  std::vector<CoapMessage> coap;
  std::vector<HttpMessage> http;
  std::vector<MqttMessage> mqtt;
  std::vector<TlsClientHello> client_hellos;
  std::vector<TlsServerHello> server_hellos;
  std::vector<TlsCertificates> certificates;
  std::vector<TlsAlert> alerts;
  std::vector<Credential> credentials;
  std::map<std::string, std::uint64_t> malformed;  // by protocol: what is not as its standard says
  std::map<std::string, std::uint64_t> not_kept;   // by kind: more than kMostOfOneKind

  /// Who else wants to know at once; may be empty.
  std::function<void(const DnsMessage&)> on_dns;
  std::function<void(const TlsClientHello&)> on_client_hello;
  std::function<void(const TlsServerHello&)> on_server_hello;
  std::function<void(const TlsCertificates&)> on_certificates;

  void add(DhcpMessage made) { keep(dhcp, std::move(made), "dhcp"); }
  void add(SsdpMessage made) { keep(ssdp, std::move(made), "ssdp"); }
  void add(NtpMessage made) { keep(ntp, std::move(made), "ntp"); }
  void add(CoapMessage made) { keep(coap, std::move(made), "coap"); }
  void add(HttpMessage made) { keep(http, std::move(made), "http"); }
  void add(MqttMessage made) { keep(mqtt, std::move(made), "mqtt"); }
  void add(TlsAlert made) { keep(alerts, std::move(made), "tls alerts"); }
  void add(Credential made) { keep(credentials, std::move(made), "credentials"); }
  void add_dns(DnsMessage made) {
    if (on_dns) on_dns(made);
    keep(dns, std::move(made), "dns");
  }
  void add(TlsClientHello made) {
    if (on_client_hello) on_client_hello(made);
    keep(client_hellos, std::move(made), "client hellos");
  }
  void add(TlsServerHello made) {
    if (on_server_hello) on_server_hello(made);
    keep(server_hellos, std::move(made), "server hellos");
  }
  void add(TlsCertificates made) {
    if (on_certificates) on_certificates(made);
    keep(certificates, std::move(made), "certificates");
  }

 private:
  template <class T>
  void keep(std::vector<T>& kept, T made, const char* kind) {
    if (kept.size() < kMostOfOneKind)
      kept.push_back(std::move(made));
    else
      ++not_kept[kind];
  }
};

nlohmann::json to_json(const Seen& seen);
nlohmann::json to_json(const std::vector<Place>& places);
nlohmann::json to_json(const Observations& observations);

}  // namespace hilcop::analysis
