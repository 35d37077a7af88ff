// SPDX-License-Identifier: Apache-2.0
// What the DHCP server says to what clients say, and each of its faults, by RFC 2131 4.3 and 4.1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "fakes/error_of.h"
#include "network/dhcp/dhcp_client.h"
#include "network/dhcp/dhcp_responder.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class DhcpResponderTest : public testing::Test {
 protected:
  DhcpDecision ask(const DhcpMessage& message, bool to_server = false) {
    return responder_.answer(message, to_server ? std::optional(network_.server) : std::nullopt, now_);
  }
  DhcpMessage only(const DhcpMessage& message, bool to_server = false) {
    const auto decision = ask(message, to_server);
    EXPECT_THAT(decision.replies, SizeIs(1)) << decision.reason;
    return decision.replies.empty() ? DhcpMessage{} : decision.replies[0].message;
  }
  // The control of every fault: without it a client gets an address.
  Ipv4 lease(const DhcpClient& client) {
    const auto offer = only(client.discover());
    EXPECT_EQ(offer.kind(), DhcpKind::Offer);
    const auto ack = only(client.select(offer.yours, offer.address(dhcp_option::kServer).value_or(Ipv4{})));
    EXPECT_EQ(ack.kind(), DhcpKind::Ack);
    EXPECT_EQ(ack.yours, offer.yours);
    return ack.yours;
  }
  void fault(const std::function<void(DhcpFaults&)>& change) {
    DhcpFaults faults;
    change(faults);
    responder_.set_faults(faults);
  }

  DhcpNetwork network_ = dhcp_network_of_test();
  DhcpResponder responder_{network_, "DHCP of dut 'a'"};
  DhcpClient client_;
  SteadyTime now_{1000s};
};

TEST_F(DhcpResponderTest, AnAddressWithAllThatBelongsToIt) {
  auto asked = client_.discover();
  asked.add(dhcp_option::kClientId, "\1abc");
  const auto offer = only(asked);
  EXPECT_EQ(offer.kind(), DhcpKind::Offer);
  EXPECT_TRUE(offer.reply);
  EXPECT_EQ(offer.transaction, client_.transaction);
  EXPECT_EQ(offer.hardware, client_.hardware);
  EXPECT_GE(offer.yours, network_.first);
  EXPECT_LE(offer.yours, network_.last);
  EXPECT_EQ(offer.address(dhcp_option::kServer), network_.server);
  EXPECT_EQ(offer.address(dhcp_option::kMask), Ipv4::of("255.255.255.0"));
  EXPECT_EQ(offer.address(dhcp_option::kRouters), network_.server);
  EXPECT_EQ(offer.option(dhcp_option::kNameServers), Ipv4::of("10.77.0.1").bytes() + Ipv4::of("10.77.0.2").bytes());
  EXPECT_EQ(offer.address(dhcp_option::kTimeServers), Ipv4::of("10.77.0.3"));
  EXPECT_EQ(offer.option(dhcp_option::kDomain), "bench.example");
  EXPECT_EQ(offer.number(dhcp_option::kLeaseTime), 3600u);
  EXPECT_EQ(offer.number(dhcp_option::kRenewal), 1800u);
  EXPECT_EQ(offer.number(dhcp_option::kRebinding), 3150u);
  EXPECT_EQ(offer.option(dhcp_option::kClientId), "\1abc") << "RFC 6842";
}

TEST_F(DhcpResponderTest, RepliesGoWhereTheClientCanHearThem) {
  const auto offer = ask(client_.discover()).replies.at(0);
  EXPECT_EQ(offer.to.address, offer.message.yours);
  EXPECT_EQ(offer.to.hardware, client_.hardware);
  EXPECT_EQ(offer.to.from, network_.server);
  auto asked = client_.discover();
  asked.broadcast = true;
  EXPECT_EQ(ask(asked).replies.at(0).to.address, Ipv4::of("255.255.255.255"));
  const auto address = lease(client_);
  const auto renewed = ask(client_.from(DhcpKind::Request, address), true).replies.at(0);
  EXPECT_EQ(renewed.to.address, address);
  EXPECT_EQ(renewed.to.hardware, "") << "it answers ARP for it";
  const auto nak = ask(client_.from(DhcpKind::Request, Ipv4::of("192.0.2.7")), true).replies.at(0);
  EXPECT_EQ(nak.message.kind(), DhcpKind::Nak);
  EXPECT_EQ(nak.to.address, Ipv4::of("255.255.255.255"));
  asked = client_.discover();
  asked.client = Ipv4::of("192.0.2.7");
  EXPECT_EQ(ask(asked).replies.at(0).to.address, address) << "never to an address of another network";
}

TEST_F(DhcpResponderTest, TheAddressOfAClientStaysTheSame) {
  const auto address = lease(client_);
  now_ += 10 * network_.lease;
  EXPECT_EQ(lease(client_), address) << "long after its lease";
  DhcpResponder after_a_restart(network_, "again");
  EXPECT_EQ(after_a_restart.answer(client_.discover(), {}, now_).replies.at(0).message.yours, address);
  EXPECT_EQ(after_a_restart.answer(client_.reboot(address), {}, now_).replies.at(0).message.kind(), DhcpKind::Ack);
}

TEST_F(DhcpResponderTest, SituationsOfARequest) {
  const auto address = lease(client_);
  EXPECT_EQ(ask(client_.select(address, network_.server)).situation, "selecting");
  EXPECT_EQ(ask(client_.reboot(address)).situation, "rebooting");
  EXPECT_EQ(ask(client_.from(DhcpKind::Request, address), true).situation, "renewing");
  const auto rebound = ask(client_.from(DhcpKind::Request, address), false);
  EXPECT_EQ(rebound.situation, "rebinding");
  EXPECT_EQ(rebound.replies.at(0).message.kind(), DhcpKind::Ack);
  EXPECT_EQ(rebound.replies.at(0).message.client, address);
  EXPECT_EQ(only(client_.reboot(Ipv4::of("10.77.0.59"))).kind(), DhcpKind::Nak) << "not the one that it has";
  EXPECT_EQ(only(DhcpClient::numbered(9).reboot(address)).kind(), DhcpKind::Nak) << "somebody else's";
  EXPECT_EQ(only(client_.reboot(Ipv4::of("10.77.0.200"))).kind(), DhcpKind::Nak) << "not of the pool";
  EXPECT_THAT(ask(client_.message(DhcpKind::Request)).reason, HasSubstr("names no address"));
  const auto other = ask(client_.select(address, Ipv4::of("10.77.0.9")));
  EXPECT_THAT(other.replies, IsEmpty());
  EXPECT_EQ(other.reason, "it has chosen another server: 10.77.0.9");
}

TEST_F(DhcpResponderTest, DeclineReleaseAndInform) {
  const auto address = lease(client_);
  EXPECT_THAT(ask(DhcpClient::numbered(9).decline(address)).reason, HasSubstr("was not this client's"));
  EXPECT_THAT(ask(client_.decline(address)).reason, HasSubstr("is taken"));
  EXPECT_NE(lease(client_), address);
  EXPECT_EQ(only(DhcpClient::numbered(9).reboot(address)).kind(), DhcpKind::Nak) << "nobody gets it";
  now_ += DhcpLeases::kDeclined;
  EXPECT_EQ(only(DhcpClient::numbered(9).reboot(address)).kind(), DhcpKind::Ack);

  const auto released = lease(client_);
  EXPECT_THAT(ask(client_.from(DhcpKind::Release, released)).reason, HasSubstr("is given back"));
  EXPECT_EQ(only(DhcpClient::numbered(8).reboot(released)).kind(), DhcpKind::Ack);

  const auto told = ask(client_.from(DhcpKind::Inform, Ipv4::of("10.77.0.200"))).replies.at(0);
  EXPECT_EQ(told.message.kind(), DhcpKind::Ack);
  EXPECT_EQ(told.message.yours, Ipv4{});
  EXPECT_EQ(told.message.number(dhcp_option::kLeaseTime), std::nullopt);
  EXPECT_EQ(told.to.address, Ipv4::of("10.77.0.200"));
  EXPECT_THAT(ask(client_.from(DhcpKind::Inform, Ipv4::of("8.8.8.8"))).replies, IsEmpty());
}

TEST_F(DhcpResponderTest, AFloodIsBoundedAndKeepsNobodyOut) {
  const auto address = lease(client_);
  const auto meant = only(DhcpClient::numbered(7).discover()).yours;
  std::set<Ipv4> offered;
  for (unsigned i = 100; i < 5100; ++i) offered.insert(only(DhcpClient::numbered(i).discover()).yours);
  EXPECT_THAT(offered, SizeIs(9)) << "the pool without what is leased";
  EXPECT_EQ(offered.count(address), 0u);
  EXPECT_EQ(only(DhcpClient::numbered(7).select(meant, network_.server)).kind(), DhcpKind::Ack) << "its offer was given to others since";
  for (unsigned i = 100; i < 200; ++i) {
    const auto offer = ask(DhcpClient::numbered(i).discover());
    if (!offer.replies.empty()) ask(DhcpClient::numbered(i).select(offer.replies[0].message.yours, network_.server));
  }
  EXPECT_THAT(ask(DhcpClient::numbered(300).discover()).reason, HasSubstr("every address of the pool is leased"));
  EXPECT_EQ(only(client_.from(DhcpKind::Request, address), true).kind(), DhcpKind::Ack);
  now_ += network_.lease;
  EXPECT_EQ(only(DhcpClient::numbered(300).discover()).kind(), DhcpKind::Offer) << "leases end";
}

TEST_F(DhcpResponderTest, WhatIsNotServedSaysWhy) {
  auto asked = client_.discover();
  asked.reply = true;
  EXPECT_THAT(ask(asked).reason, HasSubstr("another server is on this network"));
  asked = client_.discover();
  asked.relay = Ipv4::of("10.77.0.7");
  EXPECT_THAT(ask(asked).reason, HasSubstr("relay"));
  asked = client_.discover();
  asked.hardware_type = 6;
  EXPECT_THAT(ask(asked).reason, HasSubstr("not one of Ethernet"));
  asked = client_.discover();
  asked.hardware[0] = '\xff';
  EXPECT_THAT(ask(asked).reason, HasSubstr("of a group"));
  asked = client_.discover();
  asked.options.clear();
  EXPECT_THAT(ask(asked).reason, HasSubstr("BOOTP"));
  EXPECT_THAT(ask(client_.message(DhcpKind::Ack)).reason, HasSubstr("only a server"));
}

TEST_F(DhcpResponderTest, NoAnswer) {
  const auto address = lease(client_);
  fault([](DhcpFaults& faults) { faults.no_answer = true; });
  for (const auto& message : {client_.discover(), client_.reboot(address), client_.from(DhcpKind::Inform, address)}) {
    const auto decision = ask(message);
    EXPECT_THAT(decision.replies, IsEmpty());
    EXPECT_THAT(decision.faults, ElementsAre("no_answer"));
  }
  responder_.set_faults({});
  EXPECT_EQ(lease(client_), address);
}

TEST_F(DhcpResponderTest, Nak) {
  const auto address = lease(client_);
  fault([](DhcpFaults& faults) { faults.nak = true; });
  EXPECT_EQ(only(client_.discover()).kind(), DhcpKind::Offer);
  for (const auto& message :
       {client_.select(address, network_.server), client_.reboot(address), client_.from(DhcpKind::Request, address)}) {
    const auto decision = ask(message);
    EXPECT_EQ(decision.replies.at(0).message.kind(), DhcpKind::Nak);
    EXPECT_EQ(decision.replies.at(0).message.yours, Ipv4{});
    EXPECT_THAT(decision.faults, ElementsAre("nak"));
  }
}

TEST_F(DhcpResponderTest, ShortLease) {
  fault([](DhcpFaults& faults) { faults.short_lease = 10s; });
  const auto offer = ask(client_.discover());
  EXPECT_EQ(offer.replies.at(0).message.number(dhcp_option::kLeaseTime), 10u);
  EXPECT_EQ(offer.replies.at(0).message.number(dhcp_option::kRenewal), 5u);
  EXPECT_THAT(offer.faults, ElementsAre("short_lease"));
  const auto address = lease(client_);
  now_ += 10s;
  EXPECT_EQ(only(DhcpClient::numbered(9).reboot(address)).kind(), DhcpKind::Ack) << "it is over on this side too";
}

TEST_F(DhcpResponderTest, NewSubnet) {
  const auto address = lease(client_);
  fault([](DhcpFaults& faults) { faults.new_subnet = dhcp_network_of_test("10.78.0"); });
  const auto refused = ask(client_.from(DhcpKind::Request, address), true);
  EXPECT_EQ(refused.replies.at(0).message.kind(), DhcpKind::Nak);
  EXPECT_EQ(refused.replies.at(0).message.address(dhcp_option::kServer), network_.server) << "whom it asked: it heeds no other";
  EXPECT_THAT(refused.faults, ElementsAre("new_subnet"));
  EXPECT_EQ(only(client_.select(address, network_.server)).kind(), DhcpKind::Nak) << "an offer of the network before";
  const auto moved = lease(client_);
  EXPECT_EQ(moved.text().substr(0, 8), "10.78.0.");
  fault([](DhcpFaults& faults) { faults.new_subnet = dhcp_network_of_test("10.78.0"), faults.no_dns = true; });
  EXPECT_EQ(only(client_.from(DhcpKind::Request, moved), true).kind(), DhcpKind::Ack) << "the same network, with its leases";
  responder_.set_faults({});
  EXPECT_EQ(only(client_.from(DhcpKind::Request, moved), true).kind(), DhcpKind::Nak);
  EXPECT_EQ(lease(client_), address);
}

TEST_F(DhcpResponderTest, NoGatewayAndNoDns) {
  fault([](DhcpFaults& faults) { faults.no_gateway = true; });
  auto decision = ask(client_.discover());
  EXPECT_EQ(decision.replies.at(0).message.option(dhcp_option::kRouters), std::nullopt);
  EXPECT_NE(decision.replies.at(0).message.option(dhcp_option::kNameServers), std::nullopt);
  EXPECT_THAT(decision.faults, ElementsAre("no_gateway"));
  fault([](DhcpFaults& faults) { faults.no_dns = true; });
  decision = ask(client_.discover());
  EXPECT_NE(decision.replies.at(0).message.option(dhcp_option::kRouters), std::nullopt);
  EXPECT_EQ(decision.replies.at(0).message.option(dhcp_option::kNameServers), std::nullopt);
  EXPECT_THAT(decision.faults, ElementsAre("no_dns"));
}

TEST_F(DhcpResponderTest, AConflictingSecondServer) {
  auto second = dhcp_network_of_test();
  second.server = Ipv4::of("10.77.0.9");
  second.first = Ipv4::of("10.77.0.100"), second.last = Ipv4::of("10.77.0.109");
  second.routers = {second.server};
  fault([&](DhcpFaults& faults) { faults.second_server = second; });
  const auto decision = ask(client_.discover());
  ASSERT_THAT(decision.replies, SizeIs(2));
  EXPECT_THAT(decision.faults, ElementsAre("conflicting_second_server"));
  const auto& ours = decision.replies[0].message;
  const auto& theirs = decision.replies[1].message;
  EXPECT_EQ(ours.address(dhcp_option::kServer), network_.server);
  EXPECT_EQ(theirs.address(dhcp_option::kServer), second.server);
  EXPECT_EQ(theirs.address(dhcp_option::kRouters), second.server);
  EXPECT_GE(theirs.yours, second.first);
  const auto taken = ask(client_.select(theirs.yours, second.server));
  EXPECT_EQ(taken.replies.at(0).message.kind(), DhcpKind::Ack);
  EXPECT_EQ(taken.replies.at(0).message.address(dhcp_option::kServer), second.server);
  EXPECT_EQ(only(client_.from(DhcpKind::Request, theirs.yours), true).kind(), DhcpKind::Ack) << "the first does not refuse it";
  EXPECT_EQ(only(client_.select(ours.yours, network_.server)).address(dhcp_option::kServer), network_.server);
  fault([&](DhcpFaults& faults) { faults.second_server = second, faults.second_server_first = true; });
  EXPECT_EQ(ask(client_.discover()).replies.at(0).message.address(dhcp_option::kServer), second.server);
  second.server = network_.server;
  EXPECT_THAT(error_of([&] { fault([&](DhcpFaults& faults) { faults.second_server = second; }); }).what(),
              HasSubstr("identifier of the first"));
  EXPECT_TRUE(responder_.faults().second_server_first) << "nothing is changed";
}

TEST_F(DhcpResponderTest, OffersTheAddressThatIsTaken) {
  fault([](DhcpFaults& faults) { faults.offer_taken_address = true; });
  const auto decision = ask(client_.discover());
  EXPECT_EQ(decision.replies.at(0).message.yours, network_.server);
  EXPECT_EQ(decision.replies.at(0).to.address, Ipv4::of("255.255.255.255")) << "to itself nothing goes over the wire";
  EXPECT_THAT(decision.faults, ElementsAre("offer_taken_address"));
  EXPECT_EQ(only(client_.select(network_.server, network_.server)).kind(), DhcpKind::Ack);
  EXPECT_THAT(ask(client_.decline(network_.server)).replies, IsEmpty());
  responder_.set_faults({});
  EXPECT_EQ(only(client_.from(DhcpKind::Request, network_.server), true).kind(), DhcpKind::Nak);
  EXPECT_NE(lease(client_), network_.server);
}

TEST(DhcpNetworkTest, WhatMakesNoSenseIsRefusedByName) {
  const auto why = [](const std::function<void(DhcpNetwork&)>& change) {
    auto network = dhcp_network_of_test();
    network.check("DHCP");
    change(network);
    return std::string(error_of([&] { network.check("DHCP"); }).what());
  };
  EXPECT_THAT(why([](DhcpNetwork& n) { n.prefix = 31; }), HasSubstr("a subnet of 31 bits"));
  EXPECT_THAT(why([](DhcpNetwork& n) { n.last = Ipv4::of("10.78.0.1"); }), HasSubstr("10.78.0.1 is no host of 10.77.0.0/24"));
  EXPECT_THAT(why([](DhcpNetwork& n) { n.last = Ipv4::of("10.77.0.255"); }), HasSubstr("is no host"));
  EXPECT_THAT(why([](DhcpNetwork& n) { std::swap(n.first, n.last); }), HasSubstr("a pool from"));
  EXPECT_THAT(why([](DhcpNetwork& n) { n.first = n.server; }), HasSubstr("is in the pool"));
  EXPECT_THAT(why([](DhcpNetwork& n) { n.lease = 0s; }), HasSubstr("a lease of 0 s"));
  EXPECT_THAT(why([](DhcpNetwork& n) { n.name_servers.resize(9); }), HasSubstr("9 servers"));
  EXPECT_THAT(why([](DhcpNetwork& n) { n.domain.resize(101, 'a'); }), HasSubstr("a domain of 101 bytes"));
  EXPECT_THAT(error_of([] { Ipv4::of("10.77.0"); }).what(), HasSubstr("is no IPv4 address"));
  auto largest = dhcp_network_of_test();
  largest.routers.resize(8), largest.name_servers.resize(8), largest.time_servers.resize(8), largest.domain.resize(100, 'a');
  DhcpResponder responder(largest, "DHCP");
  auto asked = DhcpClient().discover();
  asked.add(dhcp_option::kClientId, std::string(64, 'c'));
  const auto packet = dhcp_packet(responder.answer(asked, {}, SteadyTime(1s)).replies.at(0).message);
  EXPECT_LE(packet.size(), 548u) << "what every client takes";
  EXPECT_EQ(read_dhcp(packet).message.option(dhcp_option::kOverload), std::nullopt);
}

}  // namespace
}  // namespace hilcop
