// SPDX-License-Identifier: Apache-2.0
// The DHCP server with busybox's udhcpc, the client of most small devices, over a wire of two namespaces; Wireshark reads what passed.
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>

#include "interop/isolated_network.h"
#include "network/dhcp/dhcp_server.h"

namespace hilcop {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// It does what every such script does, and keeps what it was told.
const char* const kScript = R"sh(#!/bin/sh
case $1 in
deconfig) ip addr flush dev $interface ;;
bound | renew) ip addr flush dev $interface; ip addr add $ip/$mask dev $interface ;;
esac
echo "$1 ip=$ip mask=$mask router=$router dns=$dns ntp=$ntpsrv domain=$domain lease=$lease server=$serverid" >>"$(dirname "$0")/log"
)sh";

class DhcpClientTest : public IsolatedNetwork {
 protected:
  void serve() {
    ip({"addr", "add", "10.77.0.1/24", "dev", "bench"});
    ip({"addr", "add", "10.78.0.1/24", "dev", "bench"});
    std::ofstream(dir_ / "script") << kScript;
    std::filesystem::permissions(dir_ / "script", std::filesystem::perms::owner_all);
    UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(67);
    ASSERT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, "bench", 6), 0);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    server_.emplace(std::move(socket), network("10.77.0"), told_.keep());
  }
  static DhcpNetwork network(const std::string& start) {
    DhcpNetwork made;
    made.server = Ipv4::of(start + ".1");
    made.first = Ipv4::of(start + ".50"), made.last = Ipv4::of(start + ".99");
    made.routers = made.name_servers = {made.server};
    made.time_servers = {Ipv4::of(start + ".2")};
    made.domain = "bench.example";
    return made;
  }
  ProcessOptions client(const std::vector<std::string>& more) const {
    ProcessOptions options;
    options.program = "nsenter";
    options.arguments = in_dut(
        {"busybox", "udhcpc", "-i", "dut", "-f", "-s", dir_ / "script", "-t", "3", "-T", "1", "-x", "hostname:ht1", "-V", "maker of ht1"});
    options.arguments.insert(options.arguments.end(), more.begin(), more.end());
    options.capture_output = true;
    return options;
  }
  // Until it has an address or has given up.
  ProcessResult take(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"-n", "-q"});
    return run_process(client(more), Deadline::in(25s));
  }
  std::string log() const {
    std::ifstream in(dir_ / "log");
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  // It answers first and tells afterwards.
  void until_told(std::size_t count) const {
    until("it is told", [&] { return told_.all().size() >= count; });
  }
  void fault(const std::function<void(DhcpFaults&)>& change) {
    DhcpFaults faults;
    change(faults);
    server_->set_faults(faults);
  }
  std::size_t heard(DhcpKind kind, const std::string& situation = "") const {
    return told_.count([&](const DhcpReport& r) { return r.message.kind() == kind && r.situation == situation; });
  }
  std::size_t refused() const {
    return told_.count([](const DhcpReport& r) { return !r.answers.empty() && r.answers[0].message.kind() == DhcpKind::Nak; });
  }

  Reports<DhcpReport> told_;
  std::optional<DhcpServer> server_;
};

TEST_F(DhcpClientTest, TakesAnAddressAndAllThatBelongsToIt) {
  isolated([&] {
    serve();
    const auto result = take();
    EXPECT_EQ(result.status.code, 0) << result.output;
    EXPECT_THAT(log(), AllOf(HasSubstr("bound ip=10.77.0."), HasSubstr("mask=24 router=10.77.0.1 dns=10.77.0.1 ntp=10.77.0.2 "),
                             HasSubstr("domain=bench.example lease=3600 server=10.77.0.1")));
    until_told(2);
    const auto reports = told_.all();
    EXPECT_EQ(reports[0].malformed, "");
    EXPECT_EQ(reports[0].oddities, std::vector<std::string>{});
    const auto told = to_json(reports[0]);
    EXPECT_EQ(told.at("kind"), "DISCOVER");
    EXPECT_EQ(told.at("mac"), "02:00:00:00:00:01");
    EXPECT_EQ(told.at("host_name"), "ht1");
    EXPECT_EQ(told.at("vendor_class"), "maker of ht1");
    EXPECT_EQ(told.at("client_id"), "01020000000001");
    EXPECT_GE(told.at("parameters").size(), 4u);
    for (const auto& report : reports) {
      ASSERT_EQ(report.answers.size(), 1u);
      EXPECT_EQ(report.answers[0].way, "hardware") << "not broadcast: it had not asked for that";
      EXPECT_EQ(report.answers[0].failure, "");
    }
    const auto seen = tshark(captured(), "dhcp.type == 2",
                             {"eth.dst", "ip.src", "ip.dst", "dhcp.option.dhcp", "dhcp.option.router", "dhcp.option.domain_name",
                              "dhcp.option.ip_address_lease_time"});
    const auto address = reports[0].answers[0].message.yours.text();
    EXPECT_THAT(seen, HasSubstr("02:00:00:00:00:01|10.77.0.1|" + address + "|2|10.77.0.1|bench.example|3600\n"));
    EXPECT_THAT(seen, HasSubstr("02:00:00:00:00:01|10.77.0.1|" + address + "|5|10.77.0.1|bench.example|3600\n"));
  });
}

TEST_F(DhcpClientTest, WithoutTheRightToMakeArpEntriesAnswersAreBroadcast) {
  isolated([&] {
    // The server's thread has what this one has when it is made.
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2];
    ASSERT_EQ(::syscall(SYS_capget, &head, sets), 0);
    const auto all = sets[0].effective;
    ip({"addr", "add", "10.77.0.200/24", "dev", "bench"});
    sets[0].effective &= ~(1u << CAP_NET_ADMIN);
    ASSERT_EQ(::syscall(SYS_capset, &head, sets), 0);
    serve();
    sets[0].effective = all;
    ASSERT_EQ(::syscall(SYS_capset, &head, sets), 0);
    EXPECT_EQ(take().status.code, 0);
    EXPECT_THAT(log(), HasSubstr("bound ip=10.77.0."));
    until_told(1);
    EXPECT_EQ(told_.all().at(0).answers.at(0).way, "broadcast");
    EXPECT_THAT(tshark(captured(), "dhcp.option.dhcp == 2", {"eth.dst", "ip.dst"}), HasSubstr("ff:ff:ff:ff:ff:ff|255.255.255.255"));
  });
}

TEST_F(DhcpClientTest, RenewsAndMovesToANewSubnet) {
  isolated([&] {
    serve();
    const auto runs = ChildProcess::start(client({}));
    until("an address", [&] { return log().find("bound ip=10.77.0.") != std::string::npos; });
    runs->signal_group(SIGUSR1);
    until("a renewal", [&] { return log().find("renew ip=10.77.0.") != std::string::npos; });
    until("it is told", [&] { return heard(DhcpKind::Request, "renewing") > 0; });
    EXPECT_EQ(heard(DhcpKind::Request, "renewing"), 1u);
    EXPECT_EQ(told_.all().back().answers.at(0).way, "address");
    fault([](DhcpFaults& faults) { faults.new_subnet = network("10.78.0"); });
    runs->signal_group(SIGUSR1);
    until("an address of the new subnet", [&] { return log().find("bound ip=10.78.0.") != std::string::npos; });
    until("it is told", [&] { return refused() > 0; });
    EXPECT_EQ(refused(), 1u);
    EXPECT_THAT(dut({"ip", "-4", "addr", "show", "dev", "dut"}), AllOf(HasSubstr("inet 10.78.0."), Not(HasSubstr("10.77.0."))));
    runs->signal_group(SIGUSR2);
    until("it gives the address back", [&] { return heard(DhcpKind::Release) == 1; });
    EXPECT_THAT(told_.all().back().reason, HasSubstr("is given back"));
  });
}

TEST_F(DhcpClientTest, IsLeftWithoutAnAddressAndHasItBackAfterTheOutage) {
  isolated([&] {
    serve();
    EXPECT_EQ(take().status.code, 0) << "the control";
    const auto before = log();
    fault([](DhcpFaults& faults) { faults.no_answer = true; });
    EXPECT_NE(take().status.code, 0);
    EXPECT_THAT(log().substr(before.size()), AllOf(HasSubstr("leasefail"), Not(HasSubstr("bound"))));
    until("it is told", [&] { return told_.all().back().faults == std::vector<std::string>{"no_answer"}; });
    fault([](DhcpFaults& faults) { faults.slow = 300ms, faults.no_gateway = true, faults.no_dns = true, faults.short_lease = 60s; });
    const auto during = log().size();
    EXPECT_EQ(take().status.code, 0);
    const auto bound = before.substr(before.find("bound ip="), 20);
    EXPECT_THAT(log().substr(during), AllOf(HasSubstr(bound), HasSubstr("router= dns= ntp=10.77.0.2"), HasSubstr("lease=60")));
  });
}

TEST_F(DhcpClientTest, IsRefusedForAsLongAsTheServerDoesSo) {
  isolated([&] {
    serve();
    fault([](DhcpFaults& faults) { faults.nak = true; });
    const auto runs = ChildProcess::start(client({}));
    until("a refusal", [&] { return log().find("nak ") != std::string::npos; });
    until("it is told", [&] { return refused() > 0; });
    EXPECT_THAT(log(), Not(HasSubstr("bound")));
    server_->set_faults({});
    until("an address", [&] { return log().find("bound ip=10.77.0.") != std::string::npos; });
  });
}

TEST_F(DhcpClientTest, TakesTheOfferOfASecondServer) {
  isolated([&] {
    serve();
    auto second = network("10.77.0");
    second.server = Ipv4::of("10.77.0.9");
    second.first = Ipv4::of("10.77.0.150"), second.last = Ipv4::of("10.77.0.159");
    fault([&](DhcpFaults& faults) { faults.second_server = second, faults.second_server_first = true; });
    EXPECT_EQ(take().status.code, 0);
    EXPECT_THAT(log(), AllOf(HasSubstr("bound ip=10.77.0.15"), HasSubstr("server=10.77.0.9")));
    EXPECT_EQ(told_.all().at(0).answers.size(), 2u);
    fault([&](DhcpFaults& faults) { faults.second_server = second; });
    EXPECT_EQ(take().status.code, 0);
    EXPECT_THAT(log(), HasSubstr("server=10.77.0.1\n"));
  });
}

TEST_F(DhcpClientTest, DeclinesAnAddressThatTheGatewayHas) {
  isolated([&] {
    serve();
    fault([](DhcpFaults& faults) { faults.offer_taken_address = true; });
    const auto runs = ChildProcess::start(client({"-a"}));
    until("it declines", [&] { return heard(DhcpKind::Decline) > 0; });
    EXPECT_THAT(log(), Not(HasSubstr("bound")));
  });
}

}  // namespace
}  // namespace hilcop
