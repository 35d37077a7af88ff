// SPDX-License-Identifier: Apache-2.0
// A real host of Linux's own behind an interface that is moved into the bench's network: what a product on a cable is to it.
#include "interop/real_interface.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "capture/capture_reader.h"
#include "fakes/error_of.h"

namespace hilcop {
namespace {

class RealInterfaceTest : public RealInterface {
 protected:
  static bool is_here() { return ::if_nametoindex("bench") != 0; }
  // By a process of its own, so that nothing is done at its end.
  void lend_and_be_killed() {
    std::array<int, 2> to_lender{};
    ASSERT_EQ(::pipe2(to_lender.data(), O_CLOEXEC), 0);
    const UniqueFd from_here(to_lender[0]), to_it(to_lender[1]);
    const pid_t lender = ::fork();
    if (lender == 0) {
      pid_t network = 0;
      if (::read(from_here.get(), &network, sizeof network) != sizeof network) ::_exit(1);
      const auto lan = interface("bench");
      lan->set("port", true, {{"network_pid", network}}, Deadline::in(kLong));
      for (;;) ::pause();
    }
    start_network();
    const pid_t network = network_->pid();
    ASSERT_EQ(::write(to_it.get(), &network, sizeof network), static_cast<ssize_t>(sizeof network));
    until("it is lent", [] { return !is_here(); });
    ::kill(lender, SIGKILL);
    ASSERT_EQ(::waitpid(lender, nullptr, 0), lender);
    // What the kernel does with a real one when the namespace ends; a virtual one would end with it.
    run("nsenter",
        {"--net=/proc/" + std::to_string(network) + "/ns/net", "ip", "link", "set", "bench", "netns", std::to_string(::getpid())});
    network_.reset();
  }
  bool dut_has_carrier() const { return try_on_dut({"ip", "link", "show", "dut"}).find("LOWER_UP") != std::string::npos; }
};

TEST_F(RealInterfaceTest, TheDeviceIsServedAndRecordedAndTheHostHasItsInterfaceBack) {
  isolated([&] {
    open("a.pcapng");
    EXPECT_FALSE(is_here());
    EXPECT_EQ(lan_->get("port", Deadline::in(kLong)), true);
    EXPECT_TRUE(pings("10.77.0.1"));
    EXPECT_NE(dut({"dig", "+short", "@10.77.0.1", "www.example.com"}).find("198.18.0.1"), std::string::npos);
    EXPECT_NE(dut({"dig", "+short", "@8.8.8.8", "www.example.com"}).find("198.18.0.1"), std::string::npos) << "a resolver of its own";
    EXPECT_EQ(ask("capture.sync", {{"name", "main"}}).at("dropped"), 0);
    network_->close(Deadline::in(kLong));
    lan_->set("port", false, {}, Deadline::in(kLong));
    EXPECT_TRUE(is_here());
    EXPECT_EQ(lan_->get("port", Deadline::in(kLong)), false);
    int arps = 0, others = 0;
    CaptureReader reader(dir_ / "a.pcapng");
    while (const auto packet = reader.next()) {
      ASSERT_GE(packet->bytes.size(), 14U);
      const bool arp = packet->bytes[12] == std::byte{0x08} && packet->bytes[13] == std::byte{0x06};
      (arp ? arps : others)++;
    }
    // Its question and the one answer, of the gateway: this host's own kernel, which has the address too, says nothing there.
    EXPECT_GE(others, 6);
    const auto answers = tshark(dir_ / "a.pcapng", "arp.opcode == 2 && arp.src.proto_ipv4 == 10.77.0.1", {"arp.src.hw_mac"});
    EXPECT_EQ(answers.substr(0, 17), "02:77:00:00:00:01");
    EXPECT_EQ(answers.find("02:77:00:00:00:01", 17) == std::string::npos ? answers.size() : 18U, 18U) << answers;
  });
}

// Else a host drops the route that an advertisement gave it, when it looks for the gateway the next time.
TEST_F(RealInterfaceTest, WhoIsLookedForAsARouterSaysThatItIsOne) {
  isolated([&] {
    std::string line;
    open("a.pcapng");
    until("an address of the router's prefix", [&] {
      return try_on_dut({"ip", "-6", "address", "show", "dut"}).find("fd77:") != std::string::npos;
    });
    until("it is answered", [&] {
      return try_on_dut({"dig", "+short", "+time=1", "+tries=1", "@fd77::1", "www.example.com"}).find("198.18.0.1") != std::string::npos;
    });
    ask("capture.sync");
    const auto flags = tshark(dir_ / "a.pcapng", "icmpv6.type == 136 && eth.src == 02:77:00:00:00:01", {"icmpv6.nd.na.flag.r"});
    ASSERT_FALSE(flags.empty());
    EXPECT_EQ(flags.find_first_not_of("1\n"), std::string::npos) << flags;
    // Others are no advertisements (RFC 4861 4.2).
    const auto routers = tshark(dir_ / "a.pcapng", "icmpv6.type == 134", {"ipv6.src"});
    ASSERT_FALSE(routers.empty());
    for (std::istringstream lines(routers); std::getline(lines, line);) EXPECT_TRUE(line.starts_with("fe80::")) << routers;
  });
}

TEST_F(RealInterfaceTest, WithoutALinkTheDeviceSeesThat) {
  isolated([&] {
    open();
    ASSERT_TRUE(pings("10.77.0.1"));
    ask("link", {{"up", false}});
    until("the device has no carrier", [&] { return !dut_has_carrier(); });
    EXPECT_EQ(ask("status").at("plugged"), false);
    ask("link", {{"up", true}});
    until("the device has a carrier", [&] { return dut_has_carrier(); });
    until("it is answered again", [&] { return pings("10.77.0.1"); });
    dut({"ip", "link", "set", "dut", "down"});
    until("the bench sees that the device has gone", [&] { return ask("status").at("plugged") == false; });
    std::vector<std::string> seen;
    for (const auto& event : events("carrier")) seen.push_back(event.at("carrier"));
    EXPECT_EQ(seen.back(), "none");
    EXPECT_NE(std::find(seen.begin(), seen.end(), "there"), seen.end());
  });
}

TEST_F(RealInterfaceTest, WhatHappenedBeforeAnAnswerIsToldBeforeIt) {
  isolated([&] {
    open();
    for (int round = 0; round < 200; ++round) {
      const bool there = round % 2 != 0;
      ask("link", {{"up", there}});
      const auto deadline = Deadline::in(kLong);
      while (ask("status").at("plugged") != there) ASSERT_FALSE(deadline.expired());
      ASSERT_EQ(events("carrier").back().at("carrier"), there ? "there" : "none") << "round " << round;
    }
  });
}

TEST_F(RealInterfaceTest, TheInterfaceComesBackWhenTheNetworkIsKilled) {
  isolated([&] {
    open();
    ASSERT_EQ(::kill(network_->pid(), SIGKILL), 0);
    EXPECT_THROW(ask("status"), Error);
    lan_->set("port", false, {}, Deadline::in(kLong));
    EXPECT_TRUE(is_here());
    network_.reset();
    start_network();
    move_in();  // and can be lent again
    until("it is answered", [&] { return pings("10.77.0.1"); });
  });
}

TEST_F(RealInterfaceTest, WhatItMergedBeforeItMergesAgainWhenItIsBack) {
  isolated([&] {
    const auto merges = [] { return run("ethtool", {"-k", "bench"}).find("generic-receive-offload: on") != std::string::npos; };
    run("ethtool", {"-K", "bench", "gro", "on"});
    ASSERT_TRUE(merges());
    open();
    network_->close(Deadline::in(kLong));
    lan_->set("port", false, {}, Deadline::in(kLong));
    EXPECT_TRUE(merges());
  });
}

TEST_F(RealInterfaceTest, WhatALenderLeftBehindWhoWasKilledIsSetRightByTheNext) {
  isolated([&] {
    const auto shows = [](const std::string& text) {
      return (run("ethtool", {"-k", "bench"}) + run("ip", {"link", "show", "bench"})).find(text) != std::string::npos;
    };
    run("ethtool", {"-K", "bench", "gro", "on"});
    ip({"link", "set", "bench", "alias", "port 3 of the rack"});
    lend_and_be_killed();
    ASSERT_TRUE(is_here());
    EXPECT_TRUE(shows("generic-receive-offload: off"));
    EXPECT_TRUE(shows("alias lent to a bench by hilcop; before:"));
    lan_ = interface("bench");
    EXPECT_TRUE(shows("generic-receive-offload: on"));
    EXPECT_TRUE(shows("alias port 3 of the rack"));
    start_network();
    move_in();
    network_->close(Deadline::in(kLong));
    lan_->set("port", false, {}, Deadline::in(kLong));
    EXPECT_TRUE(shows("generic-receive-offload: on"));
    EXPECT_TRUE(shows("alias port 3 of the rack"));
  });
}

TEST_F(RealInterfaceTest, AnAdapterThatIsPulledIsAGapAndNotLentAnyMore) {
  isolated([&] {
    open("a.pcapng");
    ASSERT_TRUE(pings("10.77.0.1"));
    EXPECT_NO_THROW(ask("capture.sync"));
    dut({"ip", "link", "delete", "dut"});  // and with it its other end
    until("that it has gone", [&] { return !events("carrier").empty() && events("carrier").back().at("carrier") == "gone"; });
    EXPECT_EQ(error_of([&] { ask("capture.sync"); }).kind(), ErrorKind::Disconnected);
    EXPECT_EQ(ask("status").at("captures").at("main").at("failure").at("kind"), "Disconnected");
    EXPECT_EQ(error_of([&] { lan_->set("port", false, {}, Deadline::in(kLong)); }).kind(), ErrorKind::Disconnected);
    EXPECT_EQ(lan_->get("port", Deadline::in(kLong)), false);
  });
}

TEST_F(RealInterfaceTest, ThisHostHasNoPartInWhatPassesAtThePort) {
  isolated([&] {
    open("a.pcapng");
    // A device that is a router too: this host is no client of it.
    dut({"/usr/bin/python3", "-c", R"(
import socket, time
router = bytes.fromhex("8600000040000708000000000000000003044040000151800001518000000000") + socket.inet_pton(10, "2001:db8:1::")
with socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58) as raw:
    raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    for _ in range(100):
        try:
            raw.sendto(router, ("ff02::1%dut", 0))
            break
        except OSError:
            time.sleep(0.05)
    else:
        raise SystemExit("no link-local address in time")
)"});
    ASSERT_TRUE(pings("10.77.0.1"));
    ask("capture.sync");
    const auto hosts = tshark(dir_ / "a.pcapng", "frame", {"eth.src"});
    for (std::size_t at = 0; at + 17 <= hosts.size(); at = hosts.find('\n', at) + 1) {
      const auto mac = hosts.substr(at, 17);
      EXPECT_TRUE(mac == "02:00:00:00:00:01" || mac == "02:77:00:00:00:01") << mac;
      if (hosts.find('\n', at) == std::string::npos) break;
    }
  });
}

TEST_F(RealInterfaceTest, AKeeperThatMayNotMoveItSaysWhichCapabilityItLacks) {
  isolated([&] {
    start_network();
    const auto lan = interface("bench");
    std::optional<Error> refused;
    std::thread([&] {  // capabilities are a thread's own
      __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
      __user_cap_data_struct caps[2]{};
      if (::syscall(SYS_capset, &head, caps) != 0) return;
      refused = error_of([&] { lan->set("port", true, {{"network_pid", network_->pid()}}, Deadline::in(kLong)); });
    })
        .join();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->kind(), ErrorKind::PermissionDenied) << refused->what();
    EXPECT_NE(refused->remedy().find("CAP_NET_ADMIN"), std::string::npos);
    EXPECT_TRUE(is_here());
    EXPECT_EQ(lan->get("port", Deadline::in(kLong)), false);
  });
}

TEST_F(RealInterfaceTest, WhatThisHostNeedsIsNotTaken) {
  isolated([&] {
    start_network();
    const auto refused = [&](const std::string& name) {
      return error_of([&] { interface(name)->set("port", true, {{"network_pid", network_->pid()}}, Deadline::in(kLong)); });
    };
    ip({"address", "add", "192.0.2.7/24", "dev", "bench"});
    auto error = refused("bench");
    EXPECT_EQ(error.kind(), ErrorKind::Busy);
    EXPECT_NE(std::string(error.what()).find("192.0.2.7"), std::string::npos) << error.what();
    EXPECT_NE(error.remedy().find("ip address flush dev bench"), std::string::npos);
    EXPECT_TRUE(is_here());
    ip({"address", "flush", "dev", "bench"});
    ip({"link", "add", "switch", "type", "bridge"});
    ip({"link", "set", "bench", "master", "switch"});
    error = refused("bench");
    EXPECT_EQ(error.kind(), ErrorKind::Busy);
    EXPECT_NE(error.cause().find("'switch'"), std::string::npos) << error.what();
    ip({"link", "set", "bench", "nomaster"});
    ip({"link", "add", "link", "bench", "name", "office", "type", "macvlan"});  // as a VLAN would: the host's address is on that one
    error = refused("bench");
    EXPECT_EQ(error.kind(), ErrorKind::Busy);
    EXPECT_NE(error.cause().find("office stands on it"), std::string::npos) << error.what();
    EXPECT_TRUE(is_here());
    ip({"link", "delete", "office"});
    EXPECT_EQ(refused("lo").kind(), ErrorKind::Config);
    EXPECT_EQ(refused("nothing").kind(), ErrorKind::NotFound);
    EXPECT_EQ(error_of([&] {
                interface("bench", "02:00:00:00:00:99")->set("port", true, {{"network_pid", network_->pid()}}, Deadline::in(kLong));
              }).kind(),
              ErrorKind::Config)
        << "another adapter has its name";
    const auto lan = interface("bench");
    EXPECT_EQ(error_of([&] { lan->set("port", true, nlohmann::json::object(), Deadline::in(kLong)); }).kind(), ErrorKind::Config);
    EXPECT_THROW(lan->set("port", true, {{"network_pid", 999'999'999}}, Deadline::in(kLong)), Error);
    EXPECT_TRUE(is_here());
  });
}

}  // namespace
}  // namespace hilcop
