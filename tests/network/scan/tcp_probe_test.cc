// SPDX-License-Identifier: Apache-2.0
// What a port says, and when: the far end does what it does before anybody looks.
#include "network/scan/tcp_probe.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <span>

#include "base/deadline.h"
#include "network/port/tap.h"
#include "network/scan/own_host.h"

namespace hilcop {
namespace {

class TcpProbeTest : public OwnHost {
 protected:
  static bool becomes(int fd, short events) {
    pollfd ready{fd, events, 0};
    return ::poll(&ready, 1, 10'000) == 1;
  }
  static void resets(UniqueFd accepted) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(accepted.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  /// On whose link somebody answers an ICMP message to the first connection.
  PortState told(std::uint8_t type, std::uint8_t code) {
    const auto tap = make_tap("firewall");
    links_.set_up("firewall", true);
    links_.add_address("firewall", "10.97.0.1/24");
    TcpProbe probe(socket_address("10.97.0.2", 80, "firewall"));
    std::array<std::uint8_t, 2048> frame{};
    while (becomes(tap.get(), POLLIN)) {
      const auto size = ::read(tap.get(), frame.data(), frame.size());
      if (size < 42) continue;
      if (frame[12] == 8 && frame[13] == 6) {
        answer_arp(tap, std::span(frame).first(42));
      } else if (frame[12] == 8 && frame[13] == 0 && frame[23] == 6) {
        answer_icmp(tap, std::span(frame).first(static_cast<std::size_t>(size)), type, code);
        break;
      }
    }
    EXPECT_TRUE(becomes(probe.fd(), POLLOUT));
    const auto outcome = probe.outcome();
    EXPECT_TRUE(outcome.has_value());
    return outcome.value_or(PortState::Open);
  }

 private:
  static constexpr std::array<std::uint8_t, 6> kMac{2, 0, 0, 0, 0, 9};
  static void answer_arp(const UniqueFd& tap, std::span<std::uint8_t> frame) {
    std::copy_n(frame.begin() + 6, 6, frame.begin());  // to who asked
    std::copy(kMac.begin(), kMac.end(), frame.begin() + 6);
    frame[21] = 2;  // reply
    std::array<std::uint8_t, 10> asker{};
    std::copy_n(frame.begin() + 22, 10, asker.begin());  // its MAC and address
    std::copy(kMac.begin(), kMac.end(), frame.begin() + 22);
    std::copy_n(frame.begin() + 38, 4, frame.begin() + 28);
    std::copy(asker.begin(), asker.end(), frame.begin() + 32);
    EXPECT_EQ(::write(tap.get(), frame.data(), frame.size()), 42);
  }
  static void put_sum(std::span<std::uint8_t> of, std::size_t at) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i + 1 < of.size(); i += 2) sum += static_cast<std::uint32_t>(of[i] << 8 | of[i + 1]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    of[at] = static_cast<std::uint8_t>(~sum >> 8), of[at + 1] = static_cast<std::uint8_t>(~sum);
  }
  // RFC 792: the header that it is about, and eight bytes behind it.
  static void answer_icmp(const UniqueFd& tap, std::span<const std::uint8_t> syn, std::uint8_t type, std::uint8_t code) {
    std::array<std::uint8_t, 14 + 20 + 8 + 28> frame{};
    std::copy_n(syn.begin() + 6, 6, frame.begin());
    std::copy(kMac.begin(), kMac.end(), frame.begin() + 6);
    frame[12] = 8;
    const std::span ip = std::span(frame).subspan(14, 20), icmp = std::span(frame).subspan(34);
    ip[0] = 0x45, ip[3] = 56, ip[8] = 64, ip[9] = 1;
    std::copy_n(syn.begin() + 30, 4, ip.begin() + 12);
    std::copy_n(syn.begin() + 26, 4, ip.begin() + 16);
    put_sum(ip, 10);
    icmp[0] = type, icmp[1] = code;
    std::copy_n(syn.begin() + 14, 28, icmp.begin() + 8);
    put_sum(icmp, 2);
    EXPECT_EQ(::write(tap.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }
};

TEST_F(TcpProbeTest, AResetInsteadOfAHandshakeIsClosed) {
  TcpProbe probe(socket_address("127.0.0.1", 23, "lo"));
  ASSERT_TRUE(becomes(probe.fd(), POLLOUT));
  EXPECT_EQ(probe.outcome(), PortState::Closed);
}

TEST_F(TcpProbeTest, WhoAcceptsAndResetsBeforeAnybodyLooksWasOpen) {
  const auto listener = listening("127.0.0.1", 23);
  TcpProbe probe(socket_address("127.0.0.1", 23, "lo"));
  resets(UniqueFd(::accept(listener.get(), nullptr, nullptr)));
  pollfd gone{probe.fd(), 0, 0};
  ASSERT_EQ(::poll(&gone, 1, 10'000), 1) << "the control: the reset has come";
  ASSERT_NE(gone.revents & POLLERR, 0);
  EXPECT_EQ(probe.outcome(), PortState::Open);
}

TEST_F(TcpProbeTest, WhoEndsItAndThenResetsWasOpenToo) {
  const auto listener = listening("127.0.0.1", 23);
  TcpProbe probe(socket_address("127.0.0.1", 23, "lo"));
  UniqueFd accepted(::accept(listener.get(), nullptr, nullptr));
  ::shutdown(accepted.get(), SHUT_WR);
  ASSERT_TRUE(becomes(probe.fd(), POLLRDHUP));
  resets(std::move(accepted));
  pollfd gone{probe.fd(), 0, 0};
  ASSERT_EQ(::poll(&gone, 1, 10'000), 1);
  ASSERT_NE(gone.revents & POLLERR, 0);
  EXPECT_EQ(probe.outcome(), PortState::Open);
}

TEST_F(TcpProbeTest, AFirewallThatRefusesIsNoClosedPort) {
  EXPECT_EQ(told(3, 3), PortState::Filtered) << "port unreachable, which is what a firewall's REJECT says";
  EXPECT_EQ(told(3, 2), PortState::Filtered) << "protocol unreachable";
  EXPECT_EQ(told(3, 10), PortState::Filtered) << "host prohibited";
  EXPECT_EQ(told(3, 13), PortState::Filtered) << "administratively prohibited";
}

}  // namespace
}  // namespace hilcop
