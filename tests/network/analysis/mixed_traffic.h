// SPDX-License-Identifier: Apache-2.0
// A device's day on a network: one of each protocol, with credentials, in frames.
#pragma once
#include <string>
#include <vector>

#include "network/analysis/packets.h"
#include "network/analysis/tls_talk.h"

namespace hilcop::analysis {

inline const End kDevice{"192.0.2.10", 0}, kGateway{"192.0.2.1", 53}, kHttp{"198.18.0.2", 80}, kMqtt{"198.18.0.3", 1883},
    kTls{"198.18.0.4", 443}, kTelnet{"192.0.2.10", 2323}, kFtp{"198.18.0.6", 21}, kCoap{"198.18.0.7", 5683}, kOldTls{"198.18.0.5", 8443};
inline End device(std::uint16_t port) { return {kDevice.address, port}; }

inline std::string dns_name(const std::string& name) {
  std::string made;
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('.', at), name.size());
    made += static_cast<char>(end - at) + name.substr(at, end - at);
    at = end + 1;
  }
  return made + '\0';
}
inline std::string dns_query(std::uint16_t id, const std::string& name, std::uint16_t type = 1) {
  return number(id, 2) + number(0x0100, 2) + number(1, 2) + number(0, 6) + dns_name(name) + number(type, 2) + number(1, 2);
}
/// The name is an alias of another, whose address it gives.
inline std::string dns_answer(std::uint16_t id, const std::string& name, const std::string& address) {
  const auto alias = dns_name("edge.cdn.example"), packed = packed_address(address);
  const std::uint16_t type = packed.size() == 4 ? 1 : 28;
  return number(id, 2) + number(0x8180, 2) + number(1, 2) + number(2, 2) + number(0, 4) + dns_name(name) + number(type, 2) + number(1, 2) +
         "\xc0\x0c" + number(5, 2) + number(1, 2) + number(60, 4) + number(alias.size(), 2) + alias +  //
         number(0xc000u + 12 + dns_name(name).size() + 4 + 12, 2) + number(type, 2) + number(1, 2) + number(60, 4) +
         number(packed.size(), 2) + packed;
}

inline std::string text16(const std::string& text) { return number(text.size(), 2) + text; }

inline std::string dhcp_request() {
  std::string made = "\x01\x01\x06" + number(0, 1) + number(0xdecafbad, 4) + std::string(20, '\0') + number(0x020000000001, 6);
  made.resize(236, '\0');
  return made + "\x63\x82\x53\x63" + std::string("\x35\x01\x01", 3) + "\x0c\x06kettle" + "\x3c\x0cudhcp 1.35.0" +
         "\x37\x04\x01\x03\x06\x2a" + "\xff";
}

inline std::vector<std::string> mixed_traffic() {
  std::vector<std::string> frames;
  frames.push_back(udp({"0.0.0.0", 68}, {"255.255.255.255", 67}, dhcp_request()));
  std::uint16_t id = 1;
  for (const auto& [name, address] : {std::pair<std::string, std::string>{"api.example", kHttp.address},
                                      {"broker.example", kMqtt.address},
                                      {"cloud.example", kTls.address}}) {
    frames.push_back(udp(device(static_cast<std::uint16_t>(50000 + id)), kGateway, dns_query(id, name)));
    frames.push_back(udp(kGateway, device(static_cast<std::uint16_t>(50000 + id)), dns_answer(id, name, address)));
    ++id;
  }
  frames.push_back(udp(device(123), {"198.18.0.9", 123}, "\x23" + std::string(47, '\0')));
  frames.push_back(udp(device(5353), {"224.0.0.251", 5353},
                       number(0, 2) + number(0x8400, 2) + number(0, 2) + number(1, 2) + number(0, 4) + dns_name("kettle.local") +
                           number(1, 2) + number(0x8001, 2) + number(120, 4) + number(4, 2) + packed_address(kDevice.address)));
  frames.push_back(
      udp(device(40001), {"239.255.255.250", 1900},
          "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n"));
  frames.push_back(udp(device(40002), kCoap, std::string("\x41\x02\x12\x34\x77\xb4", 6) + "logs" + "\x04" + "boot" + "\xff" + "x=1"));
  Talk http(frames, device(40003), kHttp);
  http.client("GET /v1/time HTTP/1.1\r\nHost: api.example\r\nUser-Agent: kettle/1.0\r\nAuthorization: Basic YWRtaW46aHVudGVyMg==\r\n\r\n",
              60);
  http.server(
      "HTTP/1.1 200 OK\r\nServer: cloud\r\nContent-Type: text/plain\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  http.client("POST /v1/log HTTP/1.1\r\nHost: api.example\r\nContent-Length: 5\r\n\r\nhello")
      .server("HTTP/1.1 204 No Content\r\n\r\n")
      .end();
  const auto connect = text16("MQTT") + std::string("\x04\xc2\x00\x3c", 4) + text16("kettle-1") + text16("device") + text16("s3cret!");
  Talk mqtt(frames, device(40004), kMqtt);
  mqtt.client("\x10" + number(connect.size(), 1) + connect, 9).server(std::string("\x20\x02\x00\x00", 4));
  const auto subscribe = number(1, 2) + text16("cmd/kettle") + number(0, 1), publish = text16("state/kettle") + "boiling";
  mqtt.client("\x82" + number(subscribe.size(), 1) + subscribe + "\x30" + number(publish.size(), 1) + publish).end();
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    Talk tls(frames, device(version == TLS1_3_VERSION ? 40005 : 40006), version == TLS1_3_VERSION ? kTls : kOldTls);
    for (const auto& turn : tls_talk(version, version == TLS1_3_VERSION ? "cloud.example" : "old.example", "GET / HTTP/1.1\r\n\r\n"))
      turn.client ? tls.client(turn.bytes, 200) : tls.server(turn.bytes, 300);
    tls.end();
  }
  Talk telnet(frames, {"192.0.2.77", 40007}, kTelnet);
  telnet.server("\xff\xfd\x01\xff\xfb\x03\r\nkettle login: ")
      .client("\xff\xfc\x01")
      .client("rooot\x7f\x7ft\r\n", 1)
      .server("root\r\nPassword: ");
  telnet.client(std::string("xc3511\r\0", 8), 1).server("\r\n# ").end();
  Talk ftp(frames, device(40008), kFtp);
  ftp.server("220 files\r\n").client("USER kettle\r\n").server("331 and?\r\n").client("PASS letmein\r\n").server("230 in\r\n").end();
  return frames;
}

}  // namespace hilcop::analysis
