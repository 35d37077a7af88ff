// SPDX-License-Identifier: Apache-2.0
// tshark as a second opinion on what a capture says: the same flows, names, SNI and credentials.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "network/analysis/capture_report.h"
#include "network/analysis/mixed_traffic.h"

namespace hilcop::analysis {
namespace {

using testing::Contains;
using testing::IsSupersetOf;
using testing::SizeIs;

class CaptureReportTest : public testing::Test {
 protected:
  void SetUp() override {
    write_capture(file_, mixed_traffic());
    ours_ = analyse_capture(file_);
  }
  /// Rows of fields, of frames that the filter takes.
  std::vector<std::vector<std::string>> tshark(const std::string& filter, const std::vector<std::string>& fields) {
    ProcessOptions options;
    options.program = "tshark";
    options.arguments = {"-r", file_, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=,", "-Y", filter};
    for (const auto& field : fields) options.arguments.insert(options.arguments.end(), {"-e", field});
    options.capture_output = true;
    const auto result = run_process(options, Deadline::in(60s));
    EXPECT_EQ(result.status.code, 0) << result.output;
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(result.output);
    for (std::string line; std::getline(lines, line);) {
      if (line.find('|') == std::string::npos && fields.size() > 1) continue;  // what it says of itself
      auto& row = rows.emplace_back();
      std::istringstream cells(line + "|");
      for (std::string cell; std::getline(cells, cell, '|');) row.push_back(cell);
    }
    return rows;
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_ / "mixed.pcapng";
  CaptureReport ours_;
};

TEST_F(CaptureReportTest, TheSameFlowsWithTheSamePacketsAndBytes) {
  using Sums = std::map<std::pair<std::string, std::string>, std::pair<std::uint64_t, std::uint64_t>>;
  Sums theirs, ours;
  for (const auto& row : tshark("ip", {"ip.src", "ip.dst", "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport", "frame.len"})) {
    auto& sum = theirs[{row[0] + ":" + row[2] + row[4], row[1] + ":" + row[3] + row[5]}];
    ++sum.first, sum.second += std::stoul(row[6]);
  }
  for (const auto& flow : ours_.flows) {
    if (flow.from_client.packets != 0) ours[{flow.client.text(), flow.server.text()}] = {flow.from_client.packets, flow.from_client.bytes};
    if (flow.from_server.packets != 0) ours[{flow.server.text(), flow.client.text()}] = {flow.from_server.packets, flow.from_server.bytes};
  }
  EXPECT_THAT(theirs, SizeIs(23u)) << "the control: 11 ways of datagrams, 12 of TCP";
  EXPECT_EQ(ours, theirs);
}

TEST_F(CaptureReportTest, TheSameNamesAndAddresses) {
  std::multiset<std::string> theirs, ours;
  for (const auto& row : tshark("dns || mdns", {"frame.number", "dns.qry.name", "dns.a"}))
    theirs.insert(row[0] + " " + row[1] + " " + row[2]);
  for (const auto& message : ours_.observations.dns) {
    std::string address;
    for (const auto& answer : message.answers)
      if (answer.address.size != 0) address = answer.address.text();
    ours.insert(std::to_string(message.seen.places.at(0).frame) + " " + (message.questions.empty() ? "" : message.questions[0].name) + " " +
                address);
  }
  EXPECT_THAT(theirs, SizeIs(7u));
  EXPECT_EQ(ours, theirs);
}

TEST_F(CaptureReportTest, TheSameHellos) {
  std::set<std::string> theirs, ours;
  for (const auto& row : tshark("tls.handshake.type == 1", {"tcp.srcport", "tls.handshake.extensions_server_name",
                                                            "tls.handshake.extensions_alpn_str", "tls.handshake.ciphersuite"})) {
    const auto ciphers = std::count(row[3].begin(), row[3].end(), ',') + 1;
    theirs.insert(row[0] + " " + row[1] + " " + row[2] + " " + std::to_string(ciphers));
  }
  for (const auto& hello : ours_.observations.client_hellos)
    ours.insert(std::to_string(hello.seen.from.port) + " " + hello.sni + " " + hello.alpn.at(0) + "," + hello.alpn.at(1) + " " +
                std::to_string(hello.ciphers.size()));
  EXPECT_THAT(theirs, SizeIs(2u));
  EXPECT_EQ(ours, theirs);
  // The certificate of TLS 1.2, and that of TLS 1.3 by neither.
  const auto names = tshark("tls.handshake.type == 11", {"tcp.srcport", "x509ce.dNSName"});
  ASSERT_THAT(names, SizeIs(1u));
  ASSERT_THAT(ours_.observations.certificates, SizeIs(1u));
  EXPECT_EQ(names[0][1], ours_.observations.certificates[0].chain[0].names[0]);
}

TEST_F(CaptureReportTest, TheSameCredentials) {
  std::multiset<std::string> theirs, ours;
  for (const auto& row : tshark("http.authbasic", {"tcp.srcport", "http.authbasic"})) theirs.insert("http-basic " + row[1]);
  for (const auto& row : tshark("mqtt.passwd", {"mqtt.username", "mqtt.passwd"})) theirs.insert("mqtt " + row[0] + ":" + row[1]);
  std::string user;
  for (const auto& row : tshark("ftp.request", {"ftp.request.command", "ftp.request.arg"})) {
    if (row[0] == "USER") user = row[1];
    if (row[0] == "PASS") theirs.insert("ftp " + user + ":" + row[1]);
  }
  for (const auto& one : ours_.observations.credentials)
    if (one.protocol != "telnet") ours.insert(one.protocol + " " + one.user + ":" + one.password);
  EXPECT_THAT(theirs, SizeIs(3u));
  EXPECT_EQ(ours, theirs);
}

TEST_F(CaptureReportTest, TheSameTopicsPathsAndDhcp) {
  std::vector<std::string> topics;
  for (const auto& row : tshark("mqtt.topic", {"tcp.srcport", "mqtt.topic"})) topics.push_back(row[1]);
  ASSERT_EQ(topics, std::vector<std::string>{"cmd/kettle,state/kettle"});
  const auto dhcp = tshark("dhcp", {"dhcp.option.hostname", "dhcp.option.vendor_class_id", "dhcp.option.request_list_item"});
  ASSERT_THAT(dhcp, SizeIs(1u));
  EXPECT_EQ(dhcp[0][0], ours_.observations.dhcp.at(0).host_name);
  EXPECT_EQ(dhcp[0][1], ours_.observations.dhcp.at(0).vendor_class);
  EXPECT_EQ(dhcp[0][2], "1,3,6,42");
  const auto coap = tshark("coap", {"udp.srcport", "coap.opt.uri_path_recon"});
  ASSERT_THAT(coap, SizeIs(1u));
  EXPECT_EQ(coap[0][1], ours_.observations.coap.at(0).path);
}

}  // namespace
}  // namespace hilcop::analysis
