// SPDX-License-Identifier: Apache-2.0
#include "network/process/event_text.h"

#include <gtest/gtest.h>

namespace hilcop {
namespace {

using nlohmann::json;

std::string line(const std::string& kind, const json& data) {
  EventTexts texts;
  const auto event = texts.of(kind, data);
  return event.about + " | " + event.text + (event.bad ? " | bad" : "");
}

TEST(EventTexts, DhcpTellsWhoAskedAndWhatItWasGiven) {
  const json offer{{"kind", "OFFER"}, {"your_address", "10.77.0.50"}, {"lease_s", 3600}};
  json asked{{"kind", "DISCOVER"}, {"mac", "52:54:00:00:00:01"}, {"host_name", "ht1"}, {"answers", {offer}}, {"faults", json::array()}};
  EXPECT_EQ(line("dhcp", asked), "dhcp | DISCOVER of 52:54:00:00:00:01, 'ht1': OFFER 10.77.0.50 for 3600 s");
  asked["faults"] = {"no_answer"};
  asked["answers"] = json::array();
  asked["reason"] = "told to be silent";
  asked.erase("host_name");
  EXPECT_EQ(line("dhcp", asked), "dhcp | DISCOVER of 52:54:00:00:00:01: no answer: told to be silent (fault: no_answer)");
  const json wanted{{"kind", "REQUEST"}, {"mac", "m"}, {"requested_address", "10.77.0.9"}, {"answers", {{{"kind", "NAK"}}}}};
  EXPECT_EQ(line("dhcp", wanted), "dhcp | REQUEST 10.77.0.9 of m: NAK");
  EXPECT_EQ(line("dhcp", {{"kind", "none"}, {"mac", "m"}, {"malformed", "too short"}}), "dhcp | malformed, of m: too short | bad");
}

TEST(EventTexts, DnsTellsTheAnswerAndWhereItWasSoughtIfElsewhere) {
  json asked{{"name", "a.example"}, {"type", "A"},        {"aimed_at", "10.77.0.1:53"},
             {"redirected", false}, {"fate", "answered"}, {"answered", "198.18.0.1"},
             {"rule", ""},          {"problem", ""},      {"addresses", {"198.18.0.1"}}};
  EXPECT_EQ(line("dns", asked), "dns | a.example A: 198.18.0.1");
  asked["redirected"] = true;
  asked["aimed_at"] = "8.8.8.8:53";
  asked["rule"] = "nxdomain for '*'";
  asked["answered"] = "NXDOMAIN";
  EXPECT_EQ(line("dns", asked), "dns | a.example A, asked of 8.8.8.8:53: NXDOMAIN (nxdomain for '*')");
  asked["fate"] = "silent";
  EXPECT_EQ(line("dns", asked), "dns | a.example A, asked of 8.8.8.8:53: no answer (nxdomain for '*')");
  EXPECT_EQ(line("dns", {{"name", ""}, {"client", "10.77.0.5:1"}, {"problem", "too short"}}), "dns | of 10.77.0.5:1: too short | bad");
}

TEST(EventTexts, WhoAsksByAnAddressThatANameWasGivenForIsShownWithIt) {
  EventTexts texts;
  texts.of("dns", {{"name", "time.example"}, {"fate", "answered"}, {"addresses", {"198.18.0.7", "fd77::7"}}});
  json asked{{"aimed_at", "198.18.0.7:123"}, {"fate", "answered"}, {"answered", "the clock"}, {"problem", ""}};
  EXPECT_EQ(texts.of("ntp", asked).text, "time.example (198.18.0.7:123): the clock");
  asked["aimed_at"] = "[fd77::7]:123";
  EXPECT_EQ(texts.of("ntp", asked).text, "time.example ([fd77::7]:123): the clock");
  asked["aimed_at"] = "203.0.113.5:123";
  EXPECT_EQ(texts.of("ntp", asked).text, "203.0.113.5:123: the clock");
}

TEST(EventTexts, TlsTellsCaseAndOutcomeAndWhatWasSentToWhoIsNotMeantIsBad) {
  json came{{"name", "a.example"},
            {"aimed_at", "198.18.0.1:443"},
            {"case", "self_signed"},
            {"outcome", "refused_in_handshake"},
            {"cause", "the alert 'unknown_ca'"},
            {"data", ""},
            {"data_bytes", 0}};
  EXPECT_EQ(line("tls", came), "tls | a.example (198.18.0.1:443), self_signed: refused in handshake: the alert 'unknown_ca'");
  came["outcome"] = "sent_application_data";
  came["data"] = "POST /login HTTP/1.1\\x0d\nHost: a.example";
  came["data_bytes"] = 312;
  const std::string said = "tls | a.example (198.18.0.1:443), self_signed: sent application data, 312 bytes: POST /login HTTP/1.1";
  EXPECT_EQ(line("tls", came), said + " | bad");
  came["case"] = "sound";
  EXPECT_FALSE(EventTexts().of("tls", came).bad) << "that is the control";
  came["case"] = nullptr;
  came["name"] = "";
  came["outcome"] = "not_tls";
  EXPECT_EQ(line("tls", came), "tls | 198.18.0.1:443: not tls, 312 bytes: POST /login HTTP/1.1 | bad");
}

TEST(EventTexts, TheRestAndNoKeyOfACa) {
  EXPECT_EQ(line("open", {{"address", "10.77.0.1/24"}, {"address6", "fd77::1/64"}}), "up | gateway 10.77.0.1/24, fd77::1/64");
  EXPECT_EQ(line("link", {{"up", true}}), "link | the cable is plugged in");
  EXPECT_EQ(line("carrier", {{"interface", "eth1"}, {"carrier", "none"}}), "link | eth1: nothing is plugged in");
  EXPECT_EQ(line("datagram_tls", {{"name", "a.example"}, {"aimed_at", "198.18.0.1:443"}, {"version", "QUIC v1"}}),
            "tls | a.example (198.18.0.1:443): begins QUIC v1, which is not spoken here");
  EXPECT_EQ(line("power", {{"on", true}, {"verified_by", "read-back"}}), "power | on, verified by read-back");
  EXPECT_EQ(line("port", {{"address", "10.77.0.50"}, {"port", 443}, {"state", "open"}}), "port | 10.77.0.50 port 443: open");
  EXPECT_EQ(line("router", {{"kind", "solicited"}, {"source", "fe80::1"}, {"why", ""}}), "router | fe80::1 asks for a router");
  EXPECT_EQ(line("router", {{"kind", "malformed"}, {"source", "fe80::1"}, {"why", "short"}}), "router | fe80::1 malformed: short | bad");
  const auto change =
      line("change", {{"what", "intercept.start"}, {"how", {{"case", "sound"}, {"ca_pem", "CERT"}, {"ca_key_pem", "KEY"}}}});
  EXPECT_EQ(change, "bench | intercept.start {\"case\":\"sound\"}");
}

TEST(EventTexts, DataOfAnotherShapeIsShownAsItIsAndNeverTooLong) {
  for (const char* kind : {"open", "dhcp", "router", "dns", "ntp", "tls", "change", "power", "scan", "port", "link", "no-such"})
    for (const json& data :
         {json(), json(1), json("x"), json::array({1}), json{{"name", 1}, {"kind", 2}, {"fate", {}}, {"how", 1}, {"up", "x"}}})
      EXPECT_FALSE(EventTexts().of(kind, data).text.empty()) << kind << data;
  EXPECT_LT(line("dns", {{"name", std::string(100'000, 'a')}}).size(), 400U);
  const std::string broken = "\xff\xfe";
  EXPECT_FALSE(EventTexts().of("no-such", {{"x", broken}}).text.empty());
}

TEST(NetworkStatusText, TellsCountsAndWhatWentWrongInCapitals) {
  const json quiet{{"arrived", 3}, {"not_kept", 0}}, lossy{{"arrived", 4}, {"not_kept", 2}};
  json status{{"address", "10.77.0.1/24"},
              {"address6", "fd77::1/64"},
              {"plugged", true},
              {"hosts", {{"52:54:00:00:00:01", {"10.77.0.50", "fe80::1"}}}},
              {"services",
               {{"leases", {{"52:54:00:00:00:01", "10.77.0.50"}}},
                {"dhcp", {{"received", 4}, {"replies", 4}}},
                {"dns", {{"queries", 12}, {"names", 3}, {"answered", 12}}},
                {"ntp", {{"requests", 1}, {"answered", 1}}},
                {"failures", json::array()}}},
              {"interception", nullptr},
              {"captures", {{"live", {{"packets", 7}, {"bytes", 700}, {"dropped", 1}, {"failure", nullptr}}}}},
              {"events_lost", 0},
              {"from_device", quiet},
              {"to_device", lossy},
              {"port_queue_dropped", 0}};
  EXPECT_EQ(network_status_text(status),
            "  gateway       10.77.0.1/24, fd77::1/64\n"
            "  lease         10.77.0.50 of 52:54:00:00:00:01\n"
            "  DHCP          4 messages, 4 answers\n"
            "  DNS           12 questions, 3 names, 12 answered\n"
            "  NTP           1 questions, 1 answered\n"
            "  TLS           not answered\n"
            "  cable         plugged in\n"
            "  host          52:54:00:00:00:01: 10.77.0.50, fe80::1\n"
            "  from device   3 frames\n"
            "  to device     4 frames, 2 DROPPED by this host\n"
            "  capture live  7 packets, 700 bytes, 1 dropped\n");
  status["services"]["failures"] = {
      {{"kind", "Exhausted"}, {"object", "DNS server"}, {"cause", "died"}, {"remedy", ""}, {"context", json::array()}}};
  EXPECT_NE(network_status_text(status).find("  FAILURE       DNS server: died"), std::string::npos);
}

}  // namespace
}  // namespace hilcop
