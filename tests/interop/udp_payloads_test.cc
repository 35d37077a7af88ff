// SPDX-License-Identifier: Apache-2.0
// The questions of the UDP scan: Wireshark takes each for what it is meant to be, and servers that nobody here wrote answer them.
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "interop/isolated_network.h"
#include "network/analysis/packets.h"
#include "network/scan/udp_scan.h"

namespace hilcop {
namespace {

using analysis::End;
using testing::HasSubstr;

class UdpPayloadsTest : public IsolatedNetwork {
 protected:
  void serve(const std::string& program, const std::vector<std::string>& arguments) {
    ProcessOptions options;
    options.program = "nsenter";
    options.arguments = in_dut({program});
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    options.output_file = dir_ / (std::filesystem::path(program).filename().string() + ".said");
    servers_.push_back(ChildProcess::start(std::move(options)));
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ / name) << text;
    return dir_ / name;
  }
  std::set<std::string> answered() const {
    UdpScanOptions options;
    options.address = "10.0.0.2";
    options.interface = "bench";
    options.payloads = udp_payloads();
    options.tries = 1;
    options.answer_within = 500ms;
    std::set<std::string> services;
    for (const auto& port : scan_udp(options, Deadline::in(20s)).ports)
      if (port.state == UdpState::Answered) services.insert(port.service);
    return services;
  }

 private:
  std::vector<std::unique_ptr<ChildProcess>> servers_;
};

TEST_F(UdpPayloadsTest, WiresharkTakesEachForWhatItIs) {
  const std::map<std::string, std::string> known{{"echo", "echo"},   {"rpcbind", "rpc"}, {"netbios", "nbns"},
                                                 {"snmpv3", "snmp"}, {"coaps", "dtls"},  {"memcached", "memcache"}};
  const auto capture = dir_ / "questions.pcapng";
  {
    PcapngWriter writer(capture, "test");
    const auto wire = writer.add_interface("bench", LinkType::Ethernet);
    std::uint16_t from = 40000;
    for (const auto& payload : udp_payloads()) {
      const auto frame = analysis::udp(End{"10.0.0.1", from++}, End{"10.0.0.2", static_cast<std::uint16_t>(payload.port)}, payload.bytes);
      writer.packet(wire, {real_clock().utc_now(), std::as_bytes(std::span(frame.data(), frame.size())), 0, ""});
    }
  }
  const auto said = run("sh", {"-c", kTshark, capture, "-T", "fields", "-e", "frame.protocols"});
  std::istringstream lines(said);
  for (const auto& payload : udp_payloads()) {
    std::string protocols;
    ASSERT_TRUE(std::getline(lines, protocols));
    const auto name = known.contains(payload.service) ? known.at(payload.service) : payload.service;
    EXPECT_THAT(protocols + ":", HasSubstr(":" + name + ":")) << payload.service;
  }
  EXPECT_EQ(run("sh", {"-c", kTshark, capture, "-Y", "_ws.malformed || _ws.expert.severity == \"Error\"", "-V"}), "");
}

TEST_F(UdpPayloadsTest, ServersOfOthersAnswerThem) {
  isolated([this] {
    ip({"addr", "add", "10.0.0.1/24", "dev", "bench"});
    dut({"ip", "addr", "add", "10.0.0.2/24", "dev", "dut"});
    EXPECT_EQ(answered(), std::set<std::string>{}) << "the control: nothing serves yet";
    std::filesystem::create_directory(dir_ / "files");
    serve("/usr/sbin/snmpd", {"-f", "-Lf", dir_ / "snmpd.log", "-C", "-c",
                              file("snmpd.conf", "agentaddress udp:10.0.0.2:161\nrocommunity public\n"), "-p", dir_ / "snmpd.pid"});
    serve("/usr/sbin/dnsmasq",
          {"--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root", "--enable-tftp",
           "--tftp-root=" + (dir_ / "files").string(), "--pid-file=" + (dir_ / "dnsmasq.pid").string()});
    run("openssl",
        {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=device", "-keyout", dir_ / "key", "-out", dir_ / "certificate"});
    // Which ends with its standard input.
    serve("sh", {"-c", "tail -f /dev/null | openssl s_server -dtls -accept 10.0.0.2:5684 -key \"$0\" -cert \"$1\"", dir_ / "key",
                 dir_ / "certificate"});
    const std::set<std::string> all{"dns", "tftp", "snmp", "snmpv3", "coaps"};
    std::set<std::string> now;
    until("each server", [&] { return (now = answered()) == all; });
    EXPECT_EQ(now, all);
  });
}

}  // namespace
}  // namespace hilcop
