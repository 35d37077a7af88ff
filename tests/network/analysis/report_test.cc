// SPDX-License-Identifier: Apache-2.0
// Everything that a report says of a capture of mixed traffic, and what it does with input that is not as it should be.
#include "network/analysis/capture_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/temp_dir.h"
#include "network/analysis/mixed_traffic.h"
#include "network/analysis/recognise.h"

namespace hilcop::analysis {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReportTest : public testing::Test {
 protected:
  CaptureReport report(const std::vector<std::string>& frames) {
    write_capture(file_, frames);
    return analyse_capture(file_);
  }
  CaptureReport talked(const std::string& client, const std::string& server, std::size_t size, std::uint16_t port = 9999) {
    std::vector<std::string> frames;
    Talk talk(frames, device(40000), {"198.18.0.2", port});
    talk.client(client, size).server(server, size);
    talk.end();
    return report(frames);
  }
  static const Flow& flow_to(const CaptureReport& report, const End& server) {
    for (const auto& flow : report.flows)
      if (flow.server.text() == server.address + ":" + std::to_string(server.port)) return flow;
    ADD_FAILURE() << "no flow to " << server.address;
    static const Flow none;
    return none;
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_ / "a.pcapng";
};

TEST_F(ReportTest, MixedTraffic) {
  const auto frames = mixed_traffic();
  const auto found = report(frames);
  EXPECT_EQ(found.frames, frames.size());
  EXPECT_TRUE(found.absence_provable()) << testing::PrintToString(found.limits);
  EXPECT_THAT(found.observations.malformed, IsEmpty()) << testing::PrintToString(found.observations.malformed);
  EXPECT_THAT(found.unread, IsEmpty());
  EXPECT_EQ(found.first, kCaptureBegin + 1ms);

  EXPECT_EQ(flow_to(found, kHttp).name, "api.example") << "as it was asked for, not its alias";
  EXPECT_EQ(flow_to(found, kHttp).application, "http");
  EXPECT_EQ(flow_to(found, kMqtt).application, "mqtt");
  EXPECT_EQ(flow_to(found, kTelnet).application, "telnet") << "on a port of its own";
  EXPECT_TRUE(flow_to(found, kTelnet).by_content);
  EXPECT_EQ(flow_to(found, kFtp).application, "ftp");
  EXPECT_EQ(flow_to(found, kCoap).application, "coap");
  EXPECT_FALSE(flow_to(found, kCoap).by_content);
  const auto& tls = flow_to(found, kTls);
  EXPECT_EQ(tls.sni, "cloud.example");
  EXPECT_EQ(tls.alpn, "http/1.1,mqtt") << "what was chosen is encrypted";
  EXPECT_EQ(tls.certificate, "");
  EXPECT_GT(tls.opaque, 18u);
  const auto& old = flow_to(found, kOldTls);
  EXPECT_EQ(old.name, "");
  EXPECT_EQ(old.sni, "old.example");
  EXPECT_EQ(old.alpn, "http/1.1");
  EXPECT_EQ(old.certificate, "CN=cloud.example,O=Maker");
  EXPECT_THAT(old.certificate_names, ElementsAre("cloud.example", "198.51.100.9"));
  EXPECT_EQ(found.observations.server_hellos[0].version, 0x0304);
  EXPECT_EQ(found.observations.server_hellos[1].version, 0x0303);
  // Its traffic, counted by hand.
  const auto& coap = flow_to(found, kCoap);
  EXPECT_EQ(coap.from_client.packets, 1u);
  EXPECT_EQ(coap.from_client.payload, 19u);
  EXPECT_EQ(coap.from_client.bytes, 19u + 42u);
  EXPECT_EQ(coap.from_server.packets, 0u);
  EXPECT_EQ(coap.first_frame, 11u);
  EXPECT_EQ(coap.first, kCaptureBegin + 11ms);
}

TEST_F(ReportTest, WhatTheDissectorsSay) {
  const auto all = report(mixed_traffic()).observations;
  ASSERT_EQ(all.dhcp.size(), 1u);
  EXPECT_EQ(all.dhcp[0].host_name, "kettle");
  EXPECT_EQ(all.dhcp[0].vendor_class, "udhcp 1.35.0");
  EXPECT_EQ(all.dhcp[0].client_mac, "02:00:00:00:00:01");
  EXPECT_THAT(all.dhcp[0].parameter_list, ElementsAre(1, 3, 6, 42));
  EXPECT_EQ(all.dhcp[0].type, 1);
  ASSERT_EQ(all.dns.size(), 7u);
  EXPECT_EQ(all.dns[1].questions[0].name, "api.example");
  EXPECT_EQ(all.dns[1].answers[0].text, "edge.cdn.example");
  EXPECT_EQ(all.dns[1].answers[1].name, "edge.cdn.example");
  EXPECT_EQ(all.dns[1].answers[1].address.text(), "198.18.0.2");
  EXPECT_TRUE(all.dns[6].multicast);
  ASSERT_EQ(all.ntp.size(), 1u);
  EXPECT_EQ(all.ntp[0].version, 4);
  EXPECT_EQ(all.ntp[0].mode, 3);
  ASSERT_EQ(all.ssdp.size(), 1u);
  EXPECT_EQ(all.ssdp[0].target, "upnp:rootdevice");
  ASSERT_EQ(all.coap.size(), 1u);
  EXPECT_EQ(all.coap[0].path, "/logs/boot");
  EXPECT_EQ(all.coap[0].payload, 3u);
  ASSERT_EQ(all.http.size(), 4u);
  EXPECT_EQ(all.http[0].target, "/v1/time");
  EXPECT_EQ(all.http[0].host, "api.example");
  EXPECT_EQ(all.http[1].status, 200);
  EXPECT_EQ(all.http[1].body_begin, "abcdefg");
  EXPECT_EQ(all.http[2].body_begin, "hello");
  EXPECT_EQ(all.http[3].status, 204);
  for (const auto& message : all.http) EXPECT_TRUE(message.complete);
  ASSERT_EQ(all.mqtt.size(), 4u);
  EXPECT_EQ(all.mqtt[0].client, "kettle-1");
  EXPECT_THAT(all.mqtt[2].topics, ElementsAre("cmd/kettle"));
  EXPECT_THAT(all.mqtt[3].topics, ElementsAre("state/kettle"));
  EXPECT_EQ(all.mqtt[3].payload, 7u);
  std::vector<std::string> credentials;
  for (const auto& one : all.credentials) credentials.push_back(one.protocol + " " + one.user + " " + one.password);
  EXPECT_THAT(credentials, ElementsAre("http-basic admin hunter2", "mqtt device s3cret!", "telnet root xc3511", "ftp kettle letmein"));
}

TEST_F(ReportTest, FindingsNameFramesAndBytes) {
  const auto frames = mixed_traffic();
  const auto all = report(frames).observations;
  std::string head, typed;
  for (const auto& place : all.credentials[0].seen.places) head += frames[place.frame - 1].substr(place.offset, place.size);
  EXPECT_THAT(head, testing::AllOf(testing::StartsWith("GET /v1/time"), testing::EndsWith("\r\n\r\n")));
  EXPECT_GT(all.credentials[0].seen.places.size(), 1u) << "it was cut into segments";
  for (const auto& place : all.credentials[2].seen.places) typed += frames[place.frame - 1].substr(place.offset, place.size);
  EXPECT_EQ(typed, "xc3511\r");
  EXPECT_EQ(all.credentials[2].seen.to.text(), "192.0.2.10:2323");
}

TEST_F(ReportTest, DestinationsAreSummedByNameElseSniElseAddress) {
  auto frames = mixed_traffic();
  Talk(frames, device(41000), kHttp).client("GET / HTTP/1.1\r\n\r\n").end();
  // Neither the DNS nor SNI names it.
  Talk unnamed(frames, device(41001), {"198.18.0.20", 8883});
  for (const auto& turn : tls_talk(TLS1_2_VERSION, "", "x")) turn.client ? unnamed.client(turn.bytes) : unnamed.server(turn.bytes);
  // What it calls by a name that the DNS gave to another address.
  Talk strange(frames, device(41002), {"203.0.113.9", 443});
  for (const auto& turn : tls_talk(TLS1_2_VERSION, "api.example", "x"))
    turn.client ? strange.client(turn.bytes) : strange.server(turn.bytes);
  const auto found = report(frames);
  const auto of = [&](const std::string& name, const std::string& by = "") {
    for (const auto& destination : found.destinations)
      if (destination.name == name && (by.empty() || destination.named_by == by)) return destination;
    ADD_FAILURE() << "no destination " << name;
    return Destination{};
  };
  ASSERT_EQ(of("api.example", "sni").addresses.size(), 1u);
  EXPECT_EQ(of("api.example", "sni").addresses.begin()->text(), "203.0.113.9");
  EXPECT_EQ(of("api.example", "dns").flows.size(), 2u);
  EXPECT_THAT(of("api.example", "dns").applications, ElementsAre("http"));
  EXPECT_EQ(of("old.example").ports, std::set<std::uint16_t>{8443});
  EXPECT_THAT(of("cloud.example", "dns").services, ElementsAre("443/tcp"));
  EXPECT_THAT(of("cloud.example", "certificate").services, ElementsAre("8883/tcp"));
  EXPECT_EQ(of("old.example").named_by, "sni");
  EXPECT_EQ(of("198.18.0.6").named_by, "");
  EXPECT_THAT(of("198.18.0.7").services, ElementsAre("5683/udp"));
  EXPECT_GT(of("cloud.example", "dns").to.bytes, of("cloud.example", "dns").to.payload);
}

TEST_F(ReportTest, WhoAsksOverIpv4AndGoesThereOverIpv6IsTheSameHost) {
  const std::string there = "fd77" + std::string(26, '0') + "12", from = "fd77" + std::string(26, '0') + "34";
  const auto flow_of = [&](const std::string& asker, const std::string& client) {
    std::vector<std::string> frames{between("gateway", asker, udp(kGateway, device(50001), dns_answer(1, "cloud.example", there))),
                                    between(client, "gateway", tcp({from, 40000}, {there, 443}, 1, 0, kSyn))};
    return report(frames).flows.at(1);
  };
  EXPECT_EQ(flow_of("device", "device").name, "cloud.example");
  EXPECT_EQ(flow_of("device", "device").name_by, "dns");
  EXPECT_EQ(flow_of("neighb", "device").name, "") << "another one asked";
}

TEST_F(ReportTest, MoreFlowsThanAreKeptProveNoAbsence) {
  std::vector<std::string> frames;
  for (std::size_t i = 0; i <= FlowTable::kMost; ++i) {
    const auto host = "10.1." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
    frames.push_back(udp(device(static_cast<std::uint16_t>(40000 + i / 62500)), {host, 9999}, "x"));
  }
  EXPECT_THAT(report(frames).limits, ElementsAre(HasSubstr("1 frames are of more flows than are kept")));
  frames.pop_back();
  EXPECT_THAT(report(frames).limits, IsEmpty()) << "the control";
}

TEST_F(ReportTest, EverySegmentSizeSaysTheSame) {
  const std::string client = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyzHEAD /b HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string server =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
  for (std::size_t size = 1; size < 100; ++size) {
    const auto all = talked(client, server, size).observations;
    ASSERT_EQ(all.http.size(), 5u) << size;
    ASSERT_THAT(all.malformed, IsEmpty()) << size;
    std::vector<std::string> said;
    for (const auto& one : all.http) said.push_back(one.method + std::to_string(one.status) + one.body_begin + (one.complete ? "." : "?"));
    ASSERT_THAT(said, testing::UnorderedElementsAre("POST0xyz.", "HEAD0.", "100.", "201ok.", "200.")) << size;
  }
}

TEST_F(ReportTest, MalformedInputIsCountedAndTheRestGoesOn) {
  EXPECT_THAT(talked("GET / HTTP/1.1\r\nno colon\r\n\r\n", "", 100).observations.malformed, Contains(std::pair("http", 1u)));
  EXPECT_THAT(talked("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "", 100).observations.malformed,
              Contains(std::pair("http", 1u)));
  EXPECT_THAT(talked("\x10\x0c" + text16("MQTT") + std::string("\x04\xc2\0\0\0\x09", 6), "", 100).observations.malformed,
              Contains(std::pair("mqtt", 1u)));
  EXPECT_THAT(talked(std::string("\x16\x03\x01\0\x06\x01\0\0\x02\x03\x03", 11) + "nonsense", "", 100).observations.malformed,
              Contains(std::pair("tls", 2u)));
  const auto loop = number(1, 2) + number(0, 2) + number(1, 2) + number(0, 6) + "\xc0\x0c" + number(1, 2) + number(1, 2);
  const auto found =
      report({udp(device(1), kGateway, loop), udp(device(2), kGateway, dns_query(2, "sound.example")),
              udp({"0.0.0.0", 68}, {"255.255.255.255", 67}, dhcp_request().substr(0, 250)), udp(device(9), {"198.18.0.9", 123}, "short"),
              udp(device(9), kCoap, "\xff\xff\xff\xff"), udp(device(9), {"239.255.255.250", 1900}, "nonsense")});
  EXPECT_THAT(found.observations.malformed,
              ElementsAre(std::pair("coap", 1u), std::pair("dhcp", 1u), std::pair("dns", 1u), std::pair("ntp", 1u), std::pair("ssdp", 1u)));
  ASSERT_EQ(found.observations.dns.size(), 1u);
  EXPECT_EQ(found.observations.dns[0].questions[0].name, "sound.example");
}

TEST_F(ReportTest, DnsOverTcpAndOnOtherPorts) {
  const auto query = dns_query(7, "hidden.example");
  auto found = talked(number(query.size(), 2) + query + number(query.size(), 2) + query, "", 5, 5300);
  EXPECT_EQ(found.observations.dns.size(), 2u);
  EXPECT_EQ(found.flows[0].application, "dns");
  found = report({udp(device(1), {"198.18.0.2", 9953}, query), udp(device(2), {"198.18.0.2", 9954}, "no " + query)});
  EXPECT_EQ(found.observations.dns.size(), 1u);
}

TEST_F(ReportTest, WhatIsEncryptedIsCountedAsSuch) {
  EXPECT_EQ(talked("SSH-2.0-client\r\n" + std::string(100, 'x'), "", 1400).opaque_bytes, 116u);
  const auto found = report({udp(device(1), {"198.18.0.2", 443}, std::string("\xc3\0\0\0\1", 5) + std::string(1195, 'q')),
                             udp({"198.18.0.2", 443}, device(1), "\x43" + std::string(99, 'q'))});
  EXPECT_EQ(found.flows[0].application, "quic");
  EXPECT_EQ(found.opaque_bytes, 1300u);
}

// Ports are used again: what a connection was says nothing of the next one, nor a datagram of another.
TEST_F(ReportTest, AFlowThatSpeaksTwoWaysIsNeither) {
  const std::string http = "GET / HTTP/1.1\r\nHost: a\r\n\r\n", secret = "secret=1\n";
  const auto spoken = [&](const std::vector<std::string>& connections) {
    std::vector<std::string> frames;
    std::uint32_t sequence = 1000;
    for (const auto& said : connections) {
      sequence += 100'000;  // another connection
      Talk talk(frames, device(40000), {"198.18.0.2", 80}, sequence, 2 * sequence);
      if (!said.empty()) talk.client(said, 1400);
      talk.end();
    }
    const auto found = report(frames);
    EXPECT_EQ(found.flows.size(), 1U);
    return found.flows.at(0);
  };
  EXPECT_EQ(spoken({http, http}).application, "http");
  EXPECT_TRUE(spoken({http, http}).by_content);
  EXPECT_EQ(spoken({"", http, ""}).application, "http") << "who says nothing is of no kind";
  for (const auto& two : {std::vector{http, secret}, std::vector{secret, http}, std::vector{http, http, secret, http}}) {
    EXPECT_EQ(spoken(two).application, "mixed");
    EXPECT_FALSE(spoken(two).by_content);
  }
  EXPECT_EQ(spoken({secret, secret}).application, "");

  const End server{"198.18.0.3", 53};
  const auto query = udp(device(40000), server, dns_query(1, "a.example"));
  EXPECT_EQ(report({query, query}).flows.at(0).application, "dns");
  EXPECT_EQ(report({query, udp(device(40000), server, secret)}).flows.at(0).application, "mixed");
  EXPECT_EQ(report({udp(device(40000), server, secret), query}).flows.at(0).application, "mixed");
}

TEST_F(ReportTest, JsonIsWholeWhateverWasSaid) {
  auto frames = mixed_traffic();
  Talk(frames, device(42000), kHttp).client("GET /\xff\xfe\"\\ HTTP/1.1\r\nHost: \x80\r\n\r\n").end();
  const auto made = to_json(report(frames));
  const auto text = made.dump();
  EXPECT_EQ(nlohmann::json::parse(text), made);
  EXPECT_THAT(text, HasSubstr("api.example"));
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << "passwords by their hash alone";
  EXPECT_EQ(made["observations"]["credentials"][0]["password"]["bytes"], 7);
  EXPECT_EQ(made["observations"]["credentials"][0]["password"]["sha256"],
            "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7");
}

TEST_F(ReportTest, TornAnywhereItEndsAndSaysSo) {
  write_capture(file_, mixed_traffic());
  const auto size = std::filesystem::file_size(file_);
  for (auto cut = size - 1; cut > 200; cut -= 97) {
    std::filesystem::resize_file(file_, cut);
    ASSERT_FALSE(analyse_capture(file_).absence_provable()) << cut;
  }
}

}  // namespace
}  // namespace hilcop::analysis
