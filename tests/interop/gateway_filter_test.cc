// SPDX-License-Identifier: Apache-2.0
// What passes the gateway and what does not, with a real host as the device and another as the lab's network beyond.
#include "base/error.h"
#include "fakes/error_of.h"
#include "interop/real_interface.h"

namespace hilcop {
namespace {

using nlohmann::json;

constexpr const char *kServer = "203.0.113.5", *kOther = "203.0.113.6";

class GatewayFilterTest : public RealInterface {
 protected:
  /// The lab's network: a host with two servers' addresses, and servers at ports 80 and 81 that note who came.
  void make_lab() {
    lab_ = other_host();
    const auto number = std::to_string(lab_->pid());
    ip({"link", "add", "up0", "type", "veth", "peer", "name", "lab", "netns", number});
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"link", "set", "lo", "up"},
                                               {"link", "set", "lab", "up"},
                                               {"address", "add", "192.0.2.1/24", "dev", "lab"},
                                               {"address", "add", std::string(kServer) + "/32", "dev", "lo"},
                                               {"address", "add", std::string(kOther) + "/32", "dev", "lo"}})
      in_lab("ip", words);
    for (const char* port : {"80", "81"}) {
      ProcessOptions server;
      server.program = "nsenter";
      server.arguments = {"--net=/proc/" + number + "/ns/net", "socat", std::string("TCP-LISTEN:") + port + ",fork,reuseaddr",
                          std::string("SYSTEM:echo $SOCAT_PEERADDR >> ") + (dir_ / (std::string("came-") + port)).string()};
      servers_.push_back(ChildProcess::start(server));
    }
    until("the lab's servers", [&] {
      const auto listening = in_lab("ss", {"-ltn"});
      return listening.find(":80 ") != std::string::npos && listening.find(":81 ") != std::string::npos;
    });
  }
  std::string in_lab(const std::string& program, std::vector<std::string> words) const {
    words.insert(words.begin(), {"--net=/proc/" + std::to_string(lab_->pid()) + "/ns/net", program});
    return run("nsenter", words);
  }
  void open_uplink(const json& allow = json::array({{{"address", kServer}, {"port", 80}, {"protocol", "tcp"}}})) {
    uplink_ = interface("up0");
    uplink_->set("port", true, {{"network_pid", network_->pid()}}, Deadline::in(kLong));
    ask("uplink.attach", {{"interface", "up0"}, {"address", "192.0.2.10/24"}, {"gateway", "192.0.2.1"}, {"allow", allow}});
  }
  std::string came(const char* port) const {
    std::ifstream file(dir_ / (std::string("came-") + port));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// In the bench's network, as its root.
  void nft(const std::string& command) const {
    const auto process = "/proc/" + std::to_string(network_->pid()) + "/ns/";
    std::vector<std::string> words{"--net=" + process + "net"};
    if (std::filesystem::read_symlink(process + "user") !=
        std::filesystem::read_symlink("/proc/self/ns/user"))  // root's in a chroot is this
      words.insert(words.end(), {"--user=" + process + "user", "--setuid=0", "--setgid=0", "--preserve-credentials"});
    words.insert(words.end(), {"nft", command});
    run("nsenter", words);
  }

  std::unique_ptr<ChildProcess> lab_;
  std::vector<std::unique_ptr<ChildProcess>> servers_;
  std::unique_ptr<Instrument> uplink_;
};

TEST_F(GatewayFilterTest, NothingLeaksToTheUplinkButWhatIsAllowed) {
  isolated([&] {
    make_lab();
    open();
    open_uplink();
    ASSERT_TRUE(connects(kServer, 80)) << "the control: the way that is allowed";
    until("the server saw it", [&] { return came("80") == "192.0.2.10\n"; });
    EXPECT_GT(packets("forwarded"), 0U);
    EXPECT_EQ(packets("forward_dropped"), 0U);
    EXPECT_FALSE(connects(kServer, 81)) << "another port of the same server";
    EXPECT_GT(packets("forward_dropped"), 0U);
    EXPECT_FALSE(connects(kOther, 80)) << "another server: it is the bench that refuses";
    EXPECT_EQ(came("81"), "");
    EXPECT_EQ(came("80"), "192.0.2.10\n");
    EXPECT_EQ(packets("uplink_own_dropped"), 0U) << "the bench itself has nothing to say there";
    // The test would see a leak: with the rule that everything rests on taken away it does.
    nft("chain inet hilcop through { policy accept; }");
    EXPECT_TRUE(connects(kServer, 81));
    until("the leak", [&] { return came("81") == "192.0.2.10\n"; });
  });
}

TEST_F(GatewayFilterTest, TheLabReachesNothingOfTheBench) {
  isolated([&] {
    make_lab();
    open();
    open_uplink();
    ASSERT_TRUE(connects(kServer, 80));
    ProcessOptions client;
    client.program = "nsenter";
    client.arguments = {
        "--net=/proc/" + std::to_string(lab_->pid()) + "/ns/net", "dig", "+time=1", "+tries=1", "@192.0.2.10", "www.example.com"};
    client.capture_output = true;
    EXPECT_NE(run_process(client, Deadline::in(kLong)).status.code, 0);
    EXPECT_GT(packets("uplink_refused"), 0U);
    // Whatever addresses the bench has, in the lab it says that it has its own alone.
    ask("dhcp", {{"new_subnet", "192.168.1.1"}});
    const auto whose = [&](const std::string& address) {
      ProcessOptions arping;
      arping.program = "nsenter";
      arping.arguments = {
          "--net=/proc/" + std::to_string(lab_->pid()) + "/ns/net", "busybox", "arping", "-c", "1", "-w", "5", "-I", "lab", address};
      arping.capture_output = true;
      return run_process(arping, Deadline::in(kLong)).output.find("Received 1") != std::string::npos;
    };
    EXPECT_TRUE(whose("192.0.2.10")) << "the control";
    EXPECT_FALSE(whose("192.168.1.1"));
    EXPECT_FALSE(whose("10.77.0.1"));
    in_lab("ip", {"route", "add", "10.77.0.0/24", "via", "192.0.2.10"});
    client.arguments = {"--net=/proc/" + std::to_string(lab_->pid()) + "/ns/net", "busybox", "ping", "-c", "1", "-W", "1", "10.77.0.50"};
    EXPECT_NE(run_process(client, Deadline::in(kLong)).status.code, 0);
  });
}

TEST_F(GatewayFilterTest, AFloodOfConnectionsFillsNoTableOfThisHosts) {
  isolated([&] {
    make_lab();
    open();
    open_uplink(json::array(
        {{{"address", kServer}, {"port", 5000}, {"protocol", "udp"}}, {{"address", kServer}, {"port", 80}, {"protocol", "tcp"}}}));
    const auto talkers = [&](int count, int each, const char* to) {
      dut({"/usr/bin/python3", "-c",
           "import socket, sys\n"
           "for i in range(int(sys.argv[1])):\n"
           "    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:\n"
           "        one.bind(('', 20000 + i))\n"
           "        for _ in range(int(sys.argv[2])):\n"
           "            one.sendto(b'x', (sys.argv[3], 5000))\n",
           std::to_string(count), std::to_string(each), to});
    };
    until("the gateway has its address", [&] { return pings("10.77.0.1"); });  // what waits for that is not kept in full
    talkers(1, 1500, kServer);                                                 // many packets of one are no flood of connections
    talkers(700, 1, kOther);                                                   // nor are those that are refused in any case
    until("what came before has passed", [&] { return pings("10.77.0.1"); });
    EXPECT_EQ(packets("uplink_flood"), 0U);
    const auto through = packets("forwarded");
    EXPECT_GT(through, 500U);
    talkers(700, 1, kServer);
    until("the flood is counted", [&] { return packets("uplink_flood") > 100 && packets("forwarded") > through + 400; });
    EXPECT_TRUE(connects(kServer, 80)) << "another way has a count of its own";
  });
}

TEST_F(GatewayFilterTest, AWayThatMakesNoSenseIsRefusedAndNothingIsOpen) {
  isolated([&] {
    open();
    const auto refused = [&](const json& allowed) {
      return error_of([&] {
               ask("uplink.attach",
                   {{"interface", "up0"}, {"address", "192.0.2.10/24"}, {"gateway", "192.0.2.1"}, {"allow", json::array({allowed})}});
             })
          .kind();
    };
    EXPECT_EQ(refused({{"address", "203.0.113.0/24"}, {"port", 80}, {"protocol", "tcp"}}), ErrorKind::Config);
    EXPECT_EQ(refused({{"address", "203.0.113.5 } accept; {"}, {"port", 80}, {"protocol", "tcp"}}), ErrorKind::Config);
    EXPECT_EQ(refused({{"address", kServer}, {"port", 80}, {"protocol", "icmp"}}), ErrorKind::Config);
    EXPECT_EQ(refused({{"address", kServer}, {"port", 0}, {"protocol", "tcp"}}), ErrorKind::Config);
    EXPECT_EQ(packets("forwarded"), 0U);
  });
}

TEST_F(GatewayFilterTest, ADeadHostIsOneAndADeadInternetIsAllOfThemWithTheLanAlive) {
  isolated([&] {
    open();
    ask("intercept.start", {{"ports", {443}}});
    const auto address = dut({"dig", "+short", "@10.77.0.1", "dead.example.com"});
    const std::string dead = address.substr(0, address.find('\n')), other = "198.51.100.9";
    ASSERT_TRUE(connects(dead, 443));
    ASSERT_TRUE(connects(other, 443));
    ask("outage", {{"what", "host"}, {"on", true}, {"host", "dead.example.com"}});
    EXPECT_FALSE(connects(dead, 443));
    EXPECT_GT(packets("dead_host"), 0U);
    EXPECT_TRUE(connects(other, 443)) << "the others live";
    ask("outage", {{"what", "host"}, {"on", false}, {"host", "dead.example.com"}});
    EXPECT_TRUE(connects(dead, 443));
    ask("dns.rule", {{"name", "moved.example.com"}, {"kind", "address"}, {"addresses", {other}}});
    ask("outage", {{"what", "host"}, {"on", true}, {"host", "moved.example.com"}});
    EXPECT_FALSE(connects(other, 443)) << "where its name leads";
    ask("dns.clear");
    ask("outage", {{"what", "host"}, {"on", false}, {"host", "moved.example.com"}});
    EXPECT_TRUE(connects(other, 443)) << "and the same is let go, wherever the name leads now";
    ask("outage", {{"what", "internet"}, {"on", true}});
    EXPECT_FALSE(connects(dead, 443));
    EXPECT_FALSE(connects(other, 443));
    EXPECT_GT(packets("dead_internet"), 0U);
    EXPECT_TRUE(pings("10.77.0.1")) << "the LAN lives";
    EXPECT_NE(dut({"dig", "+short", "@10.77.0.1", "a.example.com"}), "");
    ask("outage", {{"what", "internet"}, {"on", false}});
    EXPECT_TRUE(connects(other, 443));
    EXPECT_EQ(error_of([&] { ask("outage", {{"what", "moon"}, {"on", true}}); }).kind(), ErrorKind::Config);
  });
}

TEST_F(GatewayFilterTest, ADeadGatewayAnswersNothingAtAll) {
  isolated([&] {
    open();
    ASSERT_TRUE(pings("10.77.0.1"));
    dut({"ip", "neighbour", "flush", "dev", "dut"});
    ask("outage", {{"what", "gateway"}, {"on", true}});
    EXPECT_FALSE(pings("10.77.0.1"));
    EXPECT_EQ(try_on_dut({"ip", "neighbour", "show", "10.77.0.1"}).find("lladdr"), std::string::npos) << "not even its address is resolved";
    ask("outage", {{"what", "gateway"}, {"on", false}});
    until("it is back", [&] { return pings("10.77.0.1"); });
  });
}

TEST_F(GatewayFilterTest, EveryPortOfEveryHostIsTheBenchsWhereItIsAskedFor) {
  isolated([&] {
    open();
    EXPECT_NE(try_on_dut({"socat", "-u", "OPEN:/dev/null", "TCP:198.51.100.9:2525"}).find("Connection refused"), std::string::npos);
    ask("intercept.start", {{"ports", "all"}, {"banners", {{{"port", 2525}, {"text", "220 mail.example ESMTP\r\n"}, {"at_once", true}}}}});
    const auto said = try_on_dut({"sh", "-c", "(sleep 3; printf 'EHLO the-device\\r\\n'; sleep 3) | socat -t 1 - TCP:198.51.100.9:2525"});
    EXPECT_EQ(said, "220 mail.example ESMTP\r\n");
    auto seen = ask("intercept.wait", {{"target", {{"port", 2525}}}});
    EXPECT_EQ(seen.at("outcome"), "not_tls");
    EXPECT_EQ(seen.at("aimed_at"), "198.51.100.9:2525");
    EXPECT_EQ(seen.at("data"), "EHLO the-device\\x0d\n");
    // TLS at a port of nobody's, by a client that checks nothing.
    try_on_dut({"curl", "-sk", "-m", "10", "-d", "a=secret", "https://198.51.100.9:61234/path"});
    seen = ask("intercept.wait", {{"target", {{"port", 61234}}}});
    EXPECT_EQ(seen.at("case"), "sound");
    EXPECT_GT(packets("caught"), 0U);
    EXPECT_NE(dut({"dig", "+short", "+tcp", "@8.8.8.8", "www.example.com"}), "") << "names are still the name server's";
    EXPECT_FALSE(connects("10.77.0.1", 2525)) << "the gateway itself is no server";
  });
}

class DatagramTlsTest : public GatewayFilterTest {
 protected:
  /// Twice, a moment apart: what the client was told of the first it says at the second.
  std::string begin_quic() const {
    const std::string hello = std::string(DATAGRAMS) + "/quic1";
    return try_on_dut({"sh", "-c", "(cat " + hello + "; sleep 3; cat " + hello + ") | socat -u - UDP:198.51.100.9:443"});
  }
};

TEST_F(DatagramTlsTest, WhoBeginsDtlsOrQuicIsSeenAndRefusedAtOnce) {
  isolated([&] {
    open("a.pcapng");
    ask("intercept.start");
    try_on_dut({"timeout", "2", "openssl", "s_client", "-dtls1_2", "-connect", "198.51.100.9:5684", "-servername", "coap.example"});
    until("it is seen", [&] { return !events("datagram_tls").empty(); });
    auto seen = events("datagram_tls").front();
    EXPECT_EQ(seen.at("protocol"), "dtls");
    EXPECT_EQ(seen.at("aimed_at"), "198.51.100.9:5684");
    EXPECT_EQ(seen.at("client").get<std::string>().substr(0, 11), "10.77.0.50:");
    EXPECT_EQ(seen.at("server_name"), "coap.example");
    const auto said = begin_quic();
    EXPECT_NE(said.find("Connection refused"), std::string::npos) << said;
    ask("capture.sync");
    const auto told = tshark(dir_ / "a.pcapng", "icmp", {"ip.src", "ip.dst", "icmp.type", "icmp.code", "icmp.checksum.status"});
    EXPECT_EQ(told.substr(0, told.find('\n')), "198.51.100.9,10.77.0.50|10.77.0.50,198.51.100.9|3|3|1");
    until("it is seen", [&] { return events("datagram_tls").back().at("protocol") == "quic"; });
    seen = events("datagram_tls").back();
    EXPECT_EQ(seen.at("aimed_at"), "198.51.100.9:443");
    EXPECT_EQ(seen.at("server_name"), "example.com");
    const auto counts = ask("status").at("interception").at("datagrams");
    EXPECT_GE(counts.at("dtls"), 1);
    EXPECT_GE(counts.at("quic"), 1);
  });
}

TEST_F(DatagramTlsTest, QuicIsLeftWaitingWhereThatIsAskedFor) {
  isolated([&] {
    open();
    ask("intercept.start", {{"quic", "silent"}});
    EXPECT_EQ(begin_quic(), "");
    until("it is seen", [&] { return events("datagram_tls").size() == 2; });
    EXPECT_EQ(error_of([&] { ask("intercept.start", {{"quic", "loud"}}); }).kind(), ErrorKind::Busy);
  });
}

}  // namespace
}  // namespace hilcop
