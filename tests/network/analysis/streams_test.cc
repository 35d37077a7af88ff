// SPDX-License-Identifier: Apache-2.0
// TCP put together as an adversary would have it: any order, twice, overlapping, around the end of the numbers, with holes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "network/analysis/packets.h"
#include "network/analysis/tcp_streams.h"

namespace hilcop::analysis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const End kClient{"192.0.2.1", 40000}, kServer{"198.51.100.7", 8080};

/// What came out, gaps as "[n]", and the place of each byte.
struct Out {
  std::string text[2];
  std::vector<Place> bytes[2];
  std::vector<GapReason> reasons;
  std::vector<std::uint64_t> conflicts;  // offsets
  int ended = 0;
  TcpConnection about;
};

class Into final : public StreamSink {
 public:
  explicit Into(Out& out) : out_(out) {}
  void data(Side side, const StreamPiece& piece) override {
    const auto i = static_cast<std::size_t>(side);
    out_.text[i] += chars_of(piece.bytes);
    EXPECT_EQ(piece.place.size, piece.bytes.size());
    for (std::size_t b = 0; b < piece.bytes.size(); ++b) out_.bytes[i].push_back(piece.place.part(b, 1));
  }
  void gap(Side side, std::uint64_t, std::uint64_t bytes, GapReason reason) override {
    out_.text[static_cast<std::size_t>(side)] += "[" + std::to_string(bytes) + "]";
    out_.reasons.push_back(reason);
  }
  void conflict(Side, std::uint64_t offset, const Place&) override { out_.conflicts.push_back(offset); }
  void end() override { ++out_.ended; }

 private:
  Out& out_;
};

class StreamsTest : public testing::Test {
 protected:
  /// Every connection's output, in the order of their first bytes.
  std::vector<Out> run(const std::vector<std::string>& frames, TcpLimits limits = {}) {
    std::vector<std::unique_ptr<Out>> outs;
    TcpStreams streams(
        [&](const TcpConnection& about) {
          outs.push_back(std::make_unique<Out>());
          outs.back()->about = about;
          return std::make_unique<Into>(*outs.back());
        },
        limits);
    std::uint64_t number = 0, offset = 100;
    for (const auto& bytes : frames) {
      CapturedPacket packet;
      packet.bytes = std::as_bytes(std::span(bytes.data(), bytes.size()));
      packet.length = static_cast<std::uint32_t>(cut_ != 0 ? cut_ : bytes.size());
      packet.frame = ++number;
      packet.offset = offset;
      offset += bytes.size();
      const auto frame = parse_frame(packet, LinkType::Ethernet);
      EXPECT_EQ(frame.transport, Transport::Tcp);
      streams.add(frame);
    }
    streams.finish();
    counts_ = streams.counts();
    std::vector<Out> made;
    for (auto& out : outs) made.push_back(std::move(*out));
    return made;
  }
  std::string client(std::uint32_t sequence, const std::string& text, std::uint8_t flags = kAck) {
    return tcp(kClient, kServer, sequence, 5001, flags, text);
  }
  std::vector<std::string> handshake(std::uint32_t isn = 1000) {
    return {tcp(kClient, kServer, isn, 0, kSyn), tcp(kServer, kClient, 5000, isn + 1, kSyn | kAck), client(isn + 1, "")};
  }
  std::vector<std::string> with(std::vector<std::string> frames, const std::vector<std::string>& more) {
    frames.insert(frames.end(), more.begin(), more.end());
    return frames;
  }

  std::size_t cut_ = 0;
  TcpCounts counts_;
};

TEST_F(StreamsTest, BothSidesInOrderWithPlaces) {
  std::vector<std::string> frames;
  Talk talk(frames, kClient, kServer);
  talk.client("hello ", 3).server("yes").client("world").end();
  const auto outs = run(frames);
  ASSERT_EQ(outs.size(), 1u);
  EXPECT_EQ(outs[0].text[0], "hello world");
  EXPECT_EQ(outs[0].text[1], "yes");
  EXPECT_EQ(outs[0].ended, 1);
  EXPECT_THAT(outs[0].reasons, IsEmpty());
  EXPECT_FALSE(outs[0].about.picked_up);
  EXPECT_EQ(outs[0].about.client.text(), "192.0.2.1:40000");
  // Byte for byte: the frame and the offset say where it stands.
  for (std::size_t i = 0; i < 11; ++i) {
    const auto& place = outs[0].bytes[0][i];
    EXPECT_EQ(frames[place.frame - 1][place.offset], "hello world"[i]) << i;
    std::uint64_t offset = 100;
    for (std::size_t f = 0; f + 1 < place.frame; ++f) offset += frames[f].size();
    EXPECT_EQ(place.file_offset, offset + place.offset);
  }
  EXPECT_EQ(outs[0].bytes[0][3].frame, 5u);
  EXPECT_EQ(counts_.picked_up + counts_.gaps + counts_.conflicts + counts_.retransmitted_bytes, 0u);
}

TEST_F(StreamsTest, EveryOrderOfSixSegmentsGivesTheSame) {
  std::vector<int> order(6);
  std::iota(order.begin(), order.end(), 0);
  const std::string text = "abcdefghijkl";
  // Around the end of the sequence numbers, too.
  for (const std::uint32_t isn : {1000u, 0xffffffffu, 0xfffffffau}) {
    do {
      auto frames = handshake(isn);
      for (const int i : order)
        frames.push_back(client(isn + 1 + 2 * static_cast<std::uint32_t>(i), text.substr(2 * static_cast<std::size_t>(i), 2)));
      const auto outs = run(frames);
      ASSERT_EQ(outs.size(), 1u);
      ASSERT_EQ(outs[0].text[0], text) << isn << " " << testing::PrintToString(order);
      ASSERT_EQ(counts_.gaps + counts_.conflicts, 0u);
      for (std::size_t i = 0; i < text.size(); ++i) {
        const auto& place = outs[0].bytes[0][i];
        ASSERT_EQ(frames[place.frame - 1][place.offset], text[i]);
      }
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_F(StreamsTest, EverySubsetOfLossesIsToldToTheByte) {
  const std::string text = "abcdef";
  for (unsigned lost = 1; lost < 64; ++lost) {
    auto frames = handshake();
    std::string expected;
    unsigned hole = 0;
    const auto close = [&] {
      if (hole != 0) expected += "[" + std::to_string(hole) + "]";
      hole = 0;
    };
    for (unsigned i = 0; i < 6; ++i) {
      if ((lost >> i & 1) != 0) {
        ++hole;
        continue;
      }
      close();
      expected += text[i];
      frames.push_back(client(1001 + i, text.substr(i, 1)));
    }
    close();
    frames.push_back(tcp(kServer, kClient, 5001, 1007, kAck));  // it has all six
    const auto outs = run(frames);
    ASSERT_EQ(outs.size(), 1u);
    ASSERT_EQ(outs[0].text[0], expected) << lost;
    for (const auto reason : outs[0].reasons) ASSERT_EQ(reason, GapReason::NotCaptured);
    ASSERT_EQ(counts_.gap_bytes, static_cast<unsigned>(__builtin_popcount(lost)));
  }
}

// All pairs of segments over eight bytes, in both orders: what came first stands, and a difference is told.
TEST_F(StreamsTest, EveryOverlapOfTwoSegmentsFirstWins) {
  const std::string upper = "ABCDEFGH", lower = "abcdefgh";
  for (std::size_t a = 0; a < 8; ++a)
    for (std::size_t a_end = a + 1; a_end <= 8; ++a_end)
      for (std::size_t b = 0; b < 8; ++b)
        for (std::size_t b_end = b + 1; b_end <= 8; ++b_end) {
          auto frames = handshake();
          frames.push_back(client(1001 + static_cast<std::uint32_t>(a), upper.substr(a, a_end - a)));
          frames.push_back(client(1001 + static_cast<std::uint32_t>(b), lower.substr(b, b_end - b)));
          std::map<std::size_t, char> bytes;
          for (auto i = a; i < a_end; ++i) bytes.emplace(i, upper[i]);
          for (auto i = b; i < b_end; ++i) bytes.emplace(i, lower[i]);
          std::string expected;
          for (std::size_t i = 0, hole = 0; i < 8; ++i) {
            if (!bytes.contains(i)) {
              ++hole;
              continue;
            }
            if (hole != 0) expected += "[" + std::to_string(hole) + "]";
            hole = 0;
            expected += bytes[i];
          }
          const auto outs = run(frames);
          ASSERT_EQ(outs[0].text[0], expected) << a << "-" << a_end << " then " << b << "-" << b_end;
          const bool overlap = a < b_end && b < a_end;
          ASSERT_EQ(!outs[0].conflicts.empty(), overlap) << a << "-" << a_end << " then " << b << "-" << b_end;
          if (overlap) {
            ASSERT_EQ(outs[0].conflicts[0], std::max(a, b));
          }
        }
}

TEST_F(StreamsTest, TheSameTwiceIsNoConflict) {
  const auto outs = run(with(handshake(), {client(1001, "abc"), client(1001, "abc"), client(1002, "bcd"), client(1006, "fg"),
                                           client(1006, "fg"), client(1005, "efg")}));
  EXPECT_EQ(outs[0].text[0], "abcdefg");
  EXPECT_THAT(outs[0].conflicts, IsEmpty());
  EXPECT_EQ(counts_.retransmitted_bytes, 3u + 2u + 2u + 2u);
}

TEST_F(StreamsTest, OneByteSegmentsBackwards) {
  std::string text(3000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
  auto frames = handshake();
  for (std::size_t i = text.size(); i-- > 0;) frames.push_back(client(1001 + static_cast<std::uint32_t>(i), text.substr(i, 1)));
  const auto outs = run(frames);
  EXPECT_EQ(outs[0].text[0], text);
  EXPECT_EQ(counts_.gaps, 0u);
}

TEST_F(StreamsTest, LossAtTheVeryEndIsKnownByAcknowledgementAndByFin) {
  auto outs = run(with(handshake(), {client(1001, "abc"), tcp(kServer, kClient, 5001, 1011, kAck)}));
  EXPECT_EQ(outs[0].text[0], "abc[7]");
  outs = run(with(handshake(), {client(1001, "abc"), client(1011, "", kFin | kAck), tcp(kServer, kClient, 5001, 1012, kAck)}));
  EXPECT_EQ(outs[0].text[0], "abc[7]") << "the FIN's own number is no byte";
  outs = run(with(handshake(), {client(1001, "abc"), client(1004, "", kFin | kAck), tcp(kServer, kClient, 5001, 1005, kAck)}));
  EXPECT_EQ(outs[0].text[0], "abc");
  EXPECT_EQ(counts_.gaps, 0u);
}

TEST_F(StreamsTest, PickedUpInTheMiddleSaysSo) {
  const auto outs = run({client(77000, "middle"), tcp(kServer, kClient, 9000, 77006, kAck, "reply")});
  ASSERT_EQ(outs.size(), 1u);
  EXPECT_TRUE(outs[0].about.picked_up);
  EXPECT_EQ(counts_.picked_up, 1u);
  EXPECT_EQ(outs[0].text[0], "middle");
  EXPECT_EQ(outs[0].text[1], "[3999]reply") << "the client had acknowledged up to 5001";
}

TEST_F(StreamsTest, ALostSynAckHidesNothing) {
  auto frames = handshake();
  frames.erase(frames.begin() + 1);
  frames.push_back(tcp(kServer, kClient, 5004, 1001, kAck, "late"));
  const auto outs = run(frames);
  EXPECT_EQ(outs[0].text[1], "[3]late");
}

TEST_F(StreamsTest, PortsUsedAgainAreAnotherConnection) {
  std::vector<std::string> frames;
  Talk(frames, kClient, kServer, 1000, 5000).client("first").end();
  Talk(frames, kClient, kServer, 900'000, 42).client("second").server("two");
  const auto outs = run(frames);
  ASSERT_EQ(outs.size(), 2u);
  EXPECT_EQ(outs[0].text[0], "first");
  EXPECT_EQ(outs[1].text[0], "second");
  EXPECT_EQ(outs[1].text[1], "two");
  EXPECT_EQ(counts_.connections, 2u);
  EXPECT_EQ(counts_.gaps, 0u);
}

TEST_F(StreamsTest, AForgedResetHidesNothing) {
  const auto outs = run(with(handshake(), {client(1001, "abc"), tcp(kServer, kClient, 5001, 1004, kRst | kAck), client(1004, "def")}));
  EXPECT_EQ(outs[0].text[0], "abcdef");
}

TEST_F(StreamsTest, BytesAfterTheEndAreTold) {
  std::vector<std::string> frames;
  Talk(frames, kClient, kServer).client("abc").server("x").end();
  frames.push_back(client(1005, "secret"));
  const auto outs = run(frames);
  ASSERT_EQ(outs.size(), 1u);
  EXPECT_EQ(outs[0].text[0], "abc[6]");
  EXPECT_THAT(outs[0].reasons, ElementsAre(GapReason::AfterEnd));
}

TEST_F(StreamsTest, BytesBeforeTheBeginAreTold) {
  const auto outs = run(with(handshake(), {client(1001, "abc"), client(990, "hidden")}));
  EXPECT_THAT(outs[0].reasons, ElementsAre(GapReason::BeforeBegin));
}

TEST_F(StreamsTest, AKeepAliveIsNoConflict) {
  const auto outs = run(with(handshake(), {client(1000, std::string(1, '\0')), client(1001, "abc"), client(1003, std::string(1, '\0'))}));
  EXPECT_EQ(outs[0].text[0], "abc");
  EXPECT_THAT(outs[0].conflicts, IsEmpty());
  EXPECT_THAT(outs[0].reasons, IsEmpty());
}

TEST_F(StreamsTest, WhatTheSnapLengthCutIsAGap) {
  auto frames = with(handshake(), {client(1001, "abcdefgh"), client(1009, "ij")});
  frames[3].resize(frames[3].size() - 5);  // three bytes of eight are kept
  cut_ = frames[3].size() + 5;
  const auto outs = run(frames);
  EXPECT_EQ(outs[0].text[0], "abc[5]ij");
  EXPECT_THAT(outs[0].reasons, ElementsAre(GapReason::Truncated));
}

TEST_F(StreamsTest, MemoryIsBoundedAndWhatIsGivenUpIsTold) {
  TcpLimits limits;
  limits.waiting_of_one = 10'000;
  auto frames = handshake();
  for (std::uint32_t i = 0; i < 100; ++i) frames.push_back(client(1002 + i * 1000, std::string(1000, 'x')));  // one byte never comes
  auto outs = run(frames, limits);
  EXPECT_EQ(outs[0].text[0], "[1]" + std::string(100'000, 'x'));
  EXPECT_THAT(outs[0].reasons, ElementsAre(GapReason::Memory));
  limits = {};
  limits.connections = 2;
  frames.clear();
  for (std::uint16_t port = 1; port <= 5; ++port) {
    Talk talk(frames, {"192.0.2.1", port}, kServer);
    talk.client("x");
  }
  outs = run(frames, limits);
  EXPECT_EQ(outs.size(), 5u);
  EXPECT_EQ(counts_.forgotten, 3u);
  for (const auto& out : outs) EXPECT_EQ(out.ended, 1);
}

TEST_F(StreamsTest, ARetransmissionOfWhatIsForgottenIsCounted) {
  TcpLimits limits;
  limits.history_of_one = 100;
  const auto outs = run(with(handshake(), {client(1001, std::string(1000, 'a')), client(1001, std::string(1000, 'b'))}), limits);
  EXPECT_THAT(outs[0].conflicts, ElementsAre(900u));
  EXPECT_EQ(counts_.not_compared_bytes, 900u);
}

}  // namespace
}  // namespace hilcop::analysis
