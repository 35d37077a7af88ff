// SPDX-License-Identifier: Apache-2.0
// A bench network in its own process, with the test as the virtual board at the other end of its cable.
#include "network/process/client.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "capture/capture_reader.h"
#include "fakes/error_of.h"
#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"
#include "io/unix_socket.h"

namespace hilcop {
namespace {

std::filesystem::path program() { return build_dir() / "tests/network/process/network_program"; }

class NetworkClientTest : public ::testing::Test {
 protected:
  NetworkClient* start(const std::string& capture = "") {
    NetworkClient::Options options;
    options.program = program();
    options.setup.name = "device";
    options.setup.ports = {{"device", folder_.path() / "cable", "", {}}};
    if (!capture.empty()) options.setup.ports[0].capture = folder_.path() / capture;
    return networks_.emplace_back(NetworkClient::start(std::move(options), Deadline::in(20s))).get();
  }
  UniqueFd plug() const { return connect_unix(folder_.path() / "cable", Deadline::in(5s)); }

  /// An Ethernet frame as QEMU sends it: its length, then the frame.
  static bool sent(int cable, const std::vector<std::uint8_t>& frame) {
    std::vector<std::uint8_t> bytes{0, 0, static_cast<std::uint8_t>(frame.size() >> 8), static_cast<std::uint8_t>(frame.size())};
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    return ::send(cable, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  /// Who has 10.77.0.1? Asked by 10.77.0.50.
  static std::vector<std::uint8_t> arp_request() {
    return {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,  0,  0, 0,  0x50, 0x08, 0x06, 0, 1, 0x08, 0,  6,  4, 0,
            1,    0x02, 0,    0,    0,    0,    0x50, 10, 77, 0, 50, 0,    0,    0,    0, 0, 0,    10, 77, 0, 1};
  }
  NetworkClient* start_shared() {
    NetworkClient::Options options;
    options.program = program();
    options.setup.name = "both";
    for (const char* name : {"one", "two"})
      options.setup.ports.push_back({name, folder_.path() / name, "", folder_.path() / (std::string(name) + ".pcapng")});
    return networks_.emplace_back(NetworkClient::start(std::move(options), Deadline::in(20s))).get();
  }
  static bool heard(int cable, const std::string& what, Nanoseconds within) {
    std::string bytes;
    char piece[65536];
    for (const auto deadline = Deadline::in(within); bytes.find(what) == std::string::npos && wait_ready(cable, POLLIN, deadline);)
      bytes.append(piece, static_cast<std::size_t>(std::max<ssize_t>(0, ::read(cable, piece, sizeof piece))));
    return bytes.find(what) != std::string::npos;
  }
  /// The next answer to it; false: none in time.
  static bool arp_answered(int cable, Nanoseconds within) {
    std::string bytes;
    char piece[65536];
    for (const auto deadline = Deadline::in(within); wait_ready(cable, POLLIN, deadline);) {
      const auto size = ::read(cable, piece, sizeof piece);
      if (size <= 0) return false;
      bytes.append(piece, static_cast<std::size_t>(size));
      // EtherType ARP, then operation 2, behind the addresses
      const std::string answer{"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 10};
      if (bytes.find(answer) != std::string::npos) return true;
    }
    return false;
  }

  // However a test ended, its networks did so well.
  void TearDown() override {
    for (const auto& network : networks_) {
      if (killed_)
        EXPECT_THROW(network->close(Deadline::in(10s)), Error);
      else
        EXPECT_NO_THROW(network->close(Deadline::in(10s)));
    }
  }

  TempDir folder_{true};
  std::vector<std::unique_ptr<NetworkClient>> networks_;
  bool killed_ = false;
};

TEST_F(NetworkClientTest, AnswersADeviceThatIsPluggedInAndRecordsIt) {
  auto* const network = start("a.pcapng");
  const auto cable = plug();
  ASSERT_TRUE(sent(cable.get(), arp_request()));
  EXPECT_TRUE(arp_answered(cable.get(), 10s));
  const auto figures = network->ask("capture.sync", {{"name", "main"}}, Deadline::in(10s));
  EXPECT_GE(figures.at("packets"), 2);
  EXPECT_EQ(figures.at("dropped"), 0);
  EXPECT_EQ(network->ask("status", nlohmann::json::object(), Deadline::in(10s)).at("plugged"), true);
  network->close(Deadline::in(10s));
  CaptureReader reader(folder_.path() / "a.pcapng");
  int asked_and_answered = 0;
  while (const auto packet = reader.next())
    asked_and_answered += packet->bytes.size() >= 14 && packet->bytes[12] == std::byte{0x08} && packet->bytes[13] == std::byte{0x06};
  EXPECT_EQ(asked_and_answered, 2);
  EXPECT_TRUE(reader.damage().empty());
  ASSERT_TRUE(reader.counts().at(0).has_value());
  EXPECT_EQ(reader.counts().at(0)->dropped, 0U);
}

TEST_F(NetworkClientTest, CutItAnswersNothingAndThenAgain) {
  auto* const network = start();
  const auto cable = plug();
  ASSERT_TRUE(sent(cable.get(), arp_request()));
  ASSERT_TRUE(arp_answered(cable.get(), 10s));
  network->ask("cut", {{"cut", true}}, Deadline::in(10s));
  ASSERT_TRUE(sent(cable.get(), arp_request()));
  EXPECT_FALSE(arp_answered(cable.get(), 500ms));
  network->ask("cut", {{"cut", false}}, Deadline::in(10s));
  ASSERT_TRUE(sent(cable.get(), arp_request()));
  EXPECT_TRUE(arp_answered(cable.get(), 10s));
}

TEST_F(NetworkClientTest, TellsWhatMakesNoSense) {
  auto* const network = start();
  const auto asked = [&](const std::string& what, const nlohmann::json& how) {
    return error_of([&] { network->ask(what, how, Deadline::in(10s)); });
  };
  EXPECT_EQ(asked("impair", {{"loss", 2.0}}).kind(), ErrorKind::Config);
  const auto uplink = asked("uplink.attach", {{"interface", "eth7"}, {"address", "10.77.4.9/16"}, {"gateway", "10.77.4.1"}, {"allow", {}}});
  EXPECT_EQ(uplink.kind(), ErrorKind::Config);
  EXPECT_NE(uplink.cause().find("is the device's too: 10.77.0.1/24"), std::string::npos) << uplink.what();
  EXPECT_EQ(uplink.object(), "uplink 'eth7' of the network of dut 'device'") << "which of several networks";
  EXPECT_EQ(asked("intercept.start", {{"ports", {70000}}}).cause(), "70000 is no port");
  EXPECT_EQ(asked("impair", {{"delay_s", 1e300}}).kind(), ErrorKind::Config);
  EXPECT_EQ(asked("impair", {{"direction", "sideways"}}).kind(), ErrorKind::Config);
  EXPECT_EQ(asked("capture.sync", {{"name", "main"}}).kind(), ErrorKind::NotFound);
  EXPECT_EQ(asked("no-such-thing", nlohmann::json::object()).kind(), ErrorKind::Unsupported);
  EXPECT_EQ(asked("cut", nlohmann::json::object()).kind(), ErrorKind::Protocol);
  EXPECT_NO_THROW(network->ask("status", nlohmann::json::object(), Deadline::in(10s)));
}

TEST_F(NetworkClientTest, ItsServicesAreSetByNameAndTellWhatMakesNoSense) {
  auto* const network = start();
  const auto done = [&](const std::string& what, const nlohmann::json& how) { return network->ask(what, how, Deadline::in(10s)); };
  const auto refused = [&](const std::string& what, const nlohmann::json& how) { return error_of([&] { done(what, how); }).kind(); };
  EXPECT_NO_THROW(done("dns.rule", {{"name", "*.example"}, {"kind", "nxdomain"}}));
  EXPECT_EQ(refused("dns.rule", {{"name", "a.example"}, {"kind", "no_such"}}), ErrorKind::Config);
  EXPECT_EQ(refused("dns.rule", {{"name", "a.example"}, {"kind", "address"}}), ErrorKind::Config) << "without an address";
  EXPECT_EQ(done("dns.forget", {{"name", "*.example"}}).at("was_there"), true);
  EXPECT_EQ(done("dns.forget", {{"name", "*.example"}}).at("was_there"), false);
  EXPECT_NO_THROW(done("ntp", {{"kind", "kiss_of_death"}, {"kiss", "DENY"}}));
  EXPECT_EQ(refused("ntp", {{"offset_s", 1e30}}), ErrorKind::Config);
  EXPECT_NO_THROW(done("dhcp", {{"new_subnet", "10.78.0.1"}}));
  EXPECT_NO_THROW(done("dhcp", {{"new_subnet", "10.78.0.1"}})) << "whose gateway is there already";
  EXPECT_EQ(refused("dhcp", {{"slow_s", 1e300}}), ErrorKind::Config);
  EXPECT_NO_THROW(done("router", {{"silent", true}}));
  const auto services = done("status", nlohmann::json::object()).at("services");
  EXPECT_TRUE(services.at("failures").empty()) << services.dump();
}

TEST_F(NetworkClientTest, WhoWaitsForTheDeviceHoldsUpNobodyElse) {
  auto* const network = start();
  EXPECT_EQ(error_of([&] { network->ask("intercept.wait", nlohmann::json::object(), Deadline::in(20s)); }).kind(), ErrorKind::NotFound);
  network->ask("intercept.start", {{"case", "self_signed"}}, Deadline::in(20s));
  EXPECT_EQ(error_of([&] { network->ask("intercept.start", nlohmann::json::object(), Deadline::in(20s)); }).kind(), ErrorKind::Busy);
  auto outcome = std::async(std::launch::async, [&] {
    return network->ask("intercept.wait", {{"target", {{"server_name", "a.example"}}}}, Deadline::in(5s)).at("outcome");
  });
  network->ask("status", nlohmann::json::object(), Deadline::in(10s));
  EXPECT_EQ(outcome.wait_for(0s), std::future_status::timeout);
  EXPECT_EQ(outcome.get(), "never_came");
}

TEST_F(NetworkClientTest, ScansWhatIsThereAndTellsWhatIsNot) {
  auto* const network = start();
  const auto asked = [&](const std::string& what, const nlohmann::json& how) { return network->ask(what, how, Deadline::in(30s)); };
  const auto refused = [&](const std::string& what, const nlohmann::json& how) { return error_of([&] { asked(what, how); }).kind(); };
  EXPECT_EQ(refused("scan.tcp", nlohmann::json::object()), ErrorKind::NotFound) << "no device has an address";
  EXPECT_EQ(refused("scan.tcp", {{"address", "10.77.0.1"}, {"rate", 1e9}}), ErrorKind::Config);
  EXPECT_EQ(refused("scan.udp", {{"address", "10.77.0.1"}, {"payloads", {{{"service", "a"}, {"port", 7}, {"hex", "0"}}}}}),
            ErrorKind::Config);
  // The gateway itself, whose DNS is there by both.
  const auto tcp = asked("scan.tcp", {{"address", "10.77.0.1"}, {"ports", {52, 53, 54}}});
  EXPECT_EQ(tcp.at("open"), nlohmann::json({{{"port", 53}, {"confirmed", true}}})) << tcp.dump();
  EXPECT_EQ(tcp.at("closed"), 2);
  EXPECT_TRUE(tcp.at("incomplete").is_null());
  const auto udp = asked("scan.udp", {{"address", "10.77.0.1"}, {"tries", 1}, {"answer_within_s", 0.5}});
  std::set<std::string> answered;
  for (const auto& port : udp.at("ports"))
    if (port.at("state") == "answered") answered.insert(port.at("service"));
  EXPECT_EQ(answered, (std::set<std::string>{"dns", "ntp"}));
  EXPECT_EQ(udp.at("complete"), true);
}

TEST_F(NetworkClientTest, ProgramsOfOthersLookAtAPortAndAreHeldToTheirTime) {
  auto* const network = start();
  const auto asked = [&](nlohmann::json how) {
    how["address"] = "10.77.0.1";
    return network->ask("scan.tool", how, Deadline::in(50s));
  };
  const auto refused = [&](const nlohmann::json& how) { return error_of([&] { asked(how); }); };
  const auto said = asked({{"tool", "nmap"}, {"ports", {53, 54}}, {"limit_s", 40}});
  const std::string report = said.at("report"), version = said.at("version");
  EXPECT_TRUE(version.starts_with("Nmap version ")) << version;
  EXPECT_NE(report.find("portid=\"53\"><state state=\"open\""), std::string::npos) << report;
  EXPECT_NE(report.find("portid=\"54\"><state state=\"closed\""), std::string::npos) << report;
  EXPECT_EQ(refused({{"tool", "ssh-audit"}, {"ports", {54}}}).kind(), ErrorKind::Protocol) << "nobody speaks SSH there";
  EXPECT_EQ(refused({{"tool", "nmap"}, {"ports", {53}}, {"limit_s", 0.2}}).kind(), ErrorKind::Timeout);
  EXPECT_EQ(refused({{"tool", "sh"}, {"ports", {53}}}).kind(), ErrorKind::Config);
  EXPECT_EQ(refused({{"tool", "nmap"}, {"ports", nlohmann::json::array()}}).kind(), ErrorKind::Config);
  EXPECT_EQ(refused({{"tool", "sslscan"}, {"ports", {53, 54}}}).kind(), ErrorKind::Config);
}

TEST_F(NetworkClientTest, OneScanAtATimeAndOneWatch) {
  auto* const network = start();
  const auto asked = [&](const std::string& what, const nlohmann::json& how) { return network->ask(what, how, Deadline::in(30s)); };
  const auto refused = [&](const std::string& what, const nlohmann::json& how) { return error_of([&] { asked(what, how); }).kind(); };
  std::jthread scan([&] {
    for (bool done = false; !done;) {
      try {
        asked("scan.tcp", {{"address", "10.77.0.1"}, {"rate", 10}, {"limit_s", 2}});
        done = true;
      } catch (const Error& error) {
        done = error.kind() != ErrorKind::Busy;
        EXPECT_EQ(error.kind(), ErrorKind::Busy);  // the short one below was there first
      }
    }
  });
  const nlohmann::json another{{"address", "10.77.0.1"}, {"ports", {53}}};
  for (const auto deadline = Deadline::in(10s);;) {
    try {
      asked("scan.tcp", another);  // before the other had begun
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Busy);
      break;
    }
    ASSERT_FALSE(deadline.expired());
  }
  scan.join();
  EXPECT_NO_THROW(asked("scan.tcp", another));
  EXPECT_EQ(refused("watch_ports.stop", nlohmann::json::object()), ErrorKind::NotFound);
  asked("watch_ports.start", {{"ports", {53, 54}}, {"every_s", 0.02}, {"addresses", {"10.77.0.1"}}});
  EXPECT_EQ(refused("watch_ports.start", {{"ports", {53}}}), ErrorKind::Busy);
  const auto seen = [&] { return asked("watch_ports.status", nlohmann::json::object()).at("ports").size() == 2; };
  for (const auto deadline = Deadline::in(10s); !seen();) ASSERT_FALSE(deadline.expired());
  const auto watched = asked("watch_ports.stop", nlohmann::json::object());
  EXPECT_GT(watched.at("ports").at(0).at("open"), 0) << watched.dump();
  EXPECT_EQ(watched.at("ports").at(1).at("open"), 0);
  EXPECT_GT(watched.at("ports").at(1).at("answered"), 0);
  EXPECT_NO_THROW(asked("watch_ports.start", {{"ports", {53}}}));
}

TEST_F(NetworkClientTest, AConnectionToNobodyIsToldWithWhy) {
  auto* const network = start();
  const auto error = error_of([&] { network->connect("10.77.0.77", 80, Deadline::in(500ms)); });
  EXPECT_TRUE(error.kind() == ErrorKind::Timeout || error.kind() == ErrorKind::NotFound) << error.what();
  EXPECT_EQ(error_of([&] { network->connect("a.example", 80, Deadline::in(5s)); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { network->connect("10.77.0.1", 9, Deadline::in(5s)); }).kind(), ErrorKind::Disconnected) << "nobody listens";
}

TEST_F(NetworkClientTest, ACaptureThatExistsIsNotOverwritten) {
  std::ofstream(folder_.path() / "a.pcapng") << "precious";
  EXPECT_THROW(start("a.pcapng"), Error);
  EXPECT_EQ(std::filesystem::file_size(folder_.path() / "a.pcapng"), 8U);
}

TEST_F(NetworkClientTest, ItsDeathIsToldToWhoeverAsks) {
  auto* const network = start();
  ASSERT_EQ(::kill(network->pid(), SIGKILL), 0);
  killed_ = true;
  const auto error = error_of([&] { network->ask("status", nlohmann::json::object(), Deadline::in(10s)); });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_NE(error.cause().find("SIGKILL"), std::string::npos) << error.what();
}

// Nothing of it has a name, so what is left after its owner was killed could only be a process.
TEST_F(NetworkClientTest, EndsWithItsOwnerHoweverThatEnds) {
  ProcessOptions options;
  options.program = program();
  options.arguments = {"own", (folder_.path() / "cable").string()};
  options.output_file = folder_.path() / "pid";
  const auto owner = ChildProcess::start(std::move(options));
  pid_t network = 0;
  const auto said = [&] { return static_cast<bool>(std::ifstream(folder_.path() / "pid") >> network); };
  for (const auto deadline = Deadline::in(20s); !said();) ASSERT_FALSE(deadline.expired());
  ASSERT_EQ(::kill(owner->pid(), SIGKILL), 0);  // it alone, not its group
  const auto gone = [&] {
    std::ifstream status("/proc/" + std::to_string(network) + "/stat");
    std::string number, name, state;
    return !(status >> number >> name >> state) || state == "Z";
  };
  for (const auto deadline = Deadline::in(10s); !gone();) ASSERT_FALSE(deadline.expired()) << "the network outlives its owner";
}

TEST_F(NetworkClientTest, WhoSaysThatTheGatewaysAddressIsHisIsTold) {
  auto* const network = start();
  const auto cable = plug();
  const auto clashes = [&] { return network->ask("status", nlohmann::json::object(), Deadline::in(10s)).at("clashes"); };
  ASSERT_TRUE(sent(cable.get(), arp_request()));
  ASSERT_TRUE(arp_answered(cable.get(), 10s));
  EXPECT_TRUE(clashes().empty()) << "who asks for it is none";
  auto claim = arp_request();
  claim[31] = 1;  // of the sender's address, 10.77.0.50 before
  ASSERT_TRUE(sent(cable.get(), claim));
  ASSERT_TRUE(sent(cable.get(), claim));
  for (const auto deadline = Deadline::in(10s); clashes().empty();) ASSERT_FALSE(deadline.expired());
  EXPECT_EQ(clashes(), nlohmann::json::array({{{"address", "10.77.0.1"}, {"mac", "02:00:00:00:00:50"}}}));
}

TEST_F(NetworkClientTest, SeveralDevicesShareOneNetworkAndEachHasItsOwnWireAndCapture) {
  auto* const network = start_shared();
  const auto one = connect_unix(folder_.path() / "one", Deadline::in(5s)), two = connect_unix(folder_.path() / "two", Deadline::in(5s));
  ASSERT_TRUE(sent(one.get(), arp_request()));
  EXPECT_TRUE(arp_answered(one.get(), 10s)) << "both have the gateway";
  ASSERT_TRUE(sent(two.get(), arp_request()));
  EXPECT_TRUE(arp_answered(two.get(), 10s));
  const std::vector<std::uint8_t> broadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0,   0,  0,
                                            0,    0x51, 0x88, 0xb5, 'h',  'e',  'l',  'l', 'o'};
  ASSERT_TRUE(sent(one.get(), broadcast));
  EXPECT_TRUE(heard(two.get(), "hello", 10s)) << "they hear each other";
  network->ask("cut", {{"device", "two"}, {"cut", true}}, Deadline::in(10s));
  ASSERT_TRUE(sent(one.get(), broadcast));
  EXPECT_FALSE(heard(two.get(), "hello", 500ms)) << "its wire alone is cut";
  ASSERT_TRUE(sent(one.get(), arp_request()));
  EXPECT_TRUE(arp_answered(one.get(), 10s));
  EXPECT_EQ(error_of([&] { network->ask("cut", {{"cut", true}}, Deadline::in(10s)); }).kind(), ErrorKind::Config) << "which?";
  EXPECT_EQ(error_of([&] { network->ask("cut", {{"device", "three"}, {"cut", true}}, Deadline::in(10s)); }).kind(), ErrorKind::NotFound);
  const auto ports = [&] { return network->ask("status", nlohmann::json::object(), Deadline::in(10s)).at("ports"); };
  EXPECT_EQ(ports().at("one").at("plugged"), true);
  for (const auto deadline = Deadline::in(20s); ports().at("two").at("to_device").at("cut") == 0;) ASSERT_FALSE(deadline.expired());
  for (const char* name : {"one", "two"})
    EXPECT_GE(network->ask("capture.sync", {{"device", name}}, Deadline::in(10s)).at("packets"), 2) << name;
}

// A host that runs containers has br_netfilter, which gives what a bridge passes on to the filters of IP, and these forward nothing.
TEST_F(NetworkClientTest, WhatDevicesOfOneNetworkSayToEachOtherPassesNoFilter) {
  auto* const network = start_shared();
  const auto one = connect_unix(folder_.path() / "one", Deadline::in(5s)), two = connect_unix(folder_.path() / "two", Deadline::in(5s));
  ASSERT_TRUE(sent(two.get(), arp_request()));
  ASSERT_TRUE(arp_answered(two.get(), 10s));
  // UDP 10.77.0.51:4660 to 10.77.0.50:80; and mDNS over IPv6, fe80::51 to ff02::fb.
  std::vector<std::uint8_t> unicast{0x02, 0,  0,    0,    0, 0x50, 0x02, 0,  0,    0,    0,   0x51, 0x08, 0,   0x45, 0,
                                    0,    33, 0,    0,    0, 0,    64,   17, 0x65, 0xce, 10,  77,   0,    51,  10,   77,
                                    0,    50, 0x12, 0x34, 0, 80,   0,    13, 0,    0,    'h', 'e',  'l',  'l', 'o'};
  std::vector<std::uint8_t> multicast{0x33, 0x33, 0, 0, 0, 0xfb, 0x02, 0, 0, 0, 0, 0x51, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 59, 255};
  for (const auto& [begin, end] : {std::pair(0xfe80, 0x51), std::pair(0xff02, 0xfb)}) {
    multicast.insert(multicast.end(), {static_cast<std::uint8_t>(begin >> 8), static_cast<std::uint8_t>(begin)});
    multicast.insert(multicast.end(), 13, 0);
    multicast.push_back(static_cast<std::uint8_t>(end));
  }
  multicast.insert(multicast.end(), {'g', 'o', 'o', 'd', ' ', 'd', 'a', 'y'});
  ASSERT_TRUE(sent(one.get(), unicast));
  EXPECT_TRUE(heard(two.get(), "hello", 10s));
  ASSERT_TRUE(sent(one.get(), multicast));
  EXPECT_TRUE(heard(two.get(), "good day", 10s));
  EXPECT_EQ(network->ask("status", nlohmann::json::object(), Deadline::in(10s)).at("filter").at("forward_dropped"), 0);
}

TEST_F(NetworkClientTest, OneCableAtATimeAndTheNextWhenItIsPulled) {
  auto* const network = start();
  {
    const auto cable = plug();
    ASSERT_TRUE(sent(cable.get(), arp_request()));
    ASSERT_TRUE(arp_answered(cable.get(), 10s));
    const auto second = plug();
    EXPECT_FALSE(sent(second.get(), arp_request()) && arp_answered(second.get(), 5s)) << "it is closed at once";
  }
  const auto unplugged = [&] { return network->ask("status", nlohmann::json::object(), Deadline::in(10s)).at("plugged") == false; };
  for (const auto deadline = Deadline::in(10s); !unplugged();) ASSERT_FALSE(deadline.expired());
  const auto cable = plug();
  ASSERT_TRUE(sent(cable.get(), arp_request()));
  EXPECT_TRUE(arp_answered(cable.get(), 10s));
}

}  // namespace
}  // namespace hilcop
