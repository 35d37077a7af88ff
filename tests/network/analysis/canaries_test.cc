// SPDX-License-Identifier: Apache-2.0
// Every form of a canary, cut at every place, in streams, datagrams, fragments, chunks and packed bodies.
#include "network/analysis/canaries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <iterator>

#include "fakes/error_of.h"
#include "fakes/temp_dir.h"
#include "network/analysis/capture_report.h"
#include "network/analysis/packets.h"

namespace hilcop::analysis {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kSecret = "Tr0ub4dor&3 is it";
const End kDut{"192.0.2.1", 40000}, kCloud{"198.51.100.7", 8080};

std::string hex(const std::string& text, const char* format, const std::string& separator = "") {
  std::string made;
  for (const unsigned char c : text) {
    char digits[8];
    std::snprintf(digits, sizeof(digits), format, c);
    made += (made.empty() ? "" : separator) + digits;
  }
  return made;
}

std::string base64(const std::string& bytes, const std::string& last = "+/") {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last;
  std::string made;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    unsigned bits = 0;
    const auto count = std::min<std::size_t>(3, bytes.size() - at);
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) made += i <= count ? digits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return made;
}

std::string packed(const std::string& text, int window_bits) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string made(compressBound(text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(made.data());
  z.avail_out = static_cast<uInt>(made.size());
  deflate(&z, Z_FINISH);
  made.resize(made.size() - z.avail_out);
  deflateEnd(&z);
  return made;
}
std::string gzip(const std::string& text) { return packed(text, 15 + 16); }

struct FormCase {
  CanaryForm form;
  std::string text;
};
std::vector<FormCase> all_forms(const std::string& secret) {
  std::string wide_le, wide_be;
  for (const char c : secret) wide_le += {c, '\0'}, wide_be += {'\0', c};
  std::vector<FormCase> forms{{CanaryForm::Raw, secret},
                              {CanaryForm::Reversed, {secret.rbegin(), secret.rend()}},
                              {CanaryForm::Hex, hex(secret, "%02x")},
                              {CanaryForm::Hex, hex(secret, "%02X")},
                              {CanaryForm::HexColons, hex(secret, "%02x", ":")},
                              {CanaryForm::HexColons, hex(secret, "%02X", ":")},
                              {CanaryForm::Url, hex(secret, "%%%02x")},
                              {CanaryForm::Url, hex(secret, "%%%02X")},
                              {CanaryForm::Utf16Le, wide_le},
                              {CanaryForm::Utf16Be, "x" + wide_be}};
  for (const std::string before : {"", "u", "us"})
    for (const std::string after : {"", "!", "!?"})
      for (const std::string last : {"+/", "-_"}) forms.push_back({CanaryForm::Base64, base64(before + secret + after, last)});
  return forms;
}

class CanariesTest : public testing::Test {
 protected:
  CaptureReport report(const std::vector<std::string>& frames, CaptureCounts counts = {}) {
    write_capture(file_, frames, counts);
    return analyse_capture(file_, {.canaries = {{"psk", kSecret}, {"serial", "SN-0000-4711"}}});
  }
  CaptureReport talked(const std::string& text, std::size_t size) {
    std::vector<std::string> frames;
    Talk talk(frames, kDut, kCloud);
    talk.client(text, size);
    talk.end();
    return report(frames);
  }
  /// What stands in the file where a finding says that its bytes are.
  std::string at(const CanaryFinding& finding) {
    std::ifstream in(file_, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::string text;
    for (const auto& place : finding.seen.places) text += whole.substr(place.file_offset, place.size);
    return text;
  }
  static auto is(const std::string& canary, CanaryForm form) {
    return AllOf(Field(&CanaryFinding::canary, canary), Field(&CanaryFinding::form, form));
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_ / "a.pcapng";
};

TEST_F(CanariesTest, EveryFormInOneSegmentAndAcrossEveryCut) {
  for (const auto& [form, text] : all_forms(kSecret)) {
    const std::string before = "before:", whole = before + text + ":after";
    for (std::size_t size = 1; size <= whole.size(); ++size) {
      const auto found = talked(whole, size);
      ASSERT_EQ(found.canaries.size(), 1u) << name_of(form) << " in segments of " << size << ": " << ascii_of(text);
      const auto& one = found.canaries[0];
      ASSERT_EQ(one.canary, "psk");
      ASSERT_EQ(name_of(one.form), name_of(form)) << size;
      ASSERT_EQ(one.seen.from.text(), "192.0.2.1:40000");
      ASSERT_EQ(one.seen.to.text(), "198.51.100.7:8080");
      ASSERT_EQ(one.seen.flow, 0u);
      ASSERT_THAT(whole, HasSubstr(at(one))) << "its places are its bytes";
      ASSERT_GE(at(one).size(), text.size() - 8) << name_of(form);
      ASSERT_TRUE(found.absence_provable());
      ASSERT_EQ(one.within[0], one.seen.places.size() > 1 ? "stream" : "frame");
    }
  }
}

TEST_F(CanariesTest, TheControlIsSilent) {
  const auto found = talked("before:Tr0ub4dor&3 is no:after", 5);
  EXPECT_THAT(found.canaries, IsEmpty());
  EXPECT_TRUE(found.absence_provable()) << testing::PrintToString(found.limits);
}

TEST_F(CanariesTest, UrlFormsOfDifferentEncoders) {
  for (const std::string text : {"Tr0ub4dor%263%20is%20it", "Tr0ub4dor%263+is+it", "Tr0ub4dor&3%20is%20it"})
    EXPECT_THAT(talked("GET /?p=" + text + " HTTP/1.1\r\n\r\n", 100).canaries, Contains(is("psk", CanaryForm::Url))) << text;
}

TEST_F(CanariesTest, PackedBodiesAcrossEveryCut) {
  const std::string plain = "{\"wifi\": \"" + kSecret + "\", \"more\": \"and so on and so on\"}";
  for (const auto& [name, body] : {std::pair<std::string, std::string>{"gzip", gzip(plain)}, {"zlib", packed(plain, 15)}}) {
    const auto whole = "before" + body + "after";
    for (std::size_t size = 1; size <= whole.size(); ++size) {
      const auto found = talked(whole, size);
      ASSERT_EQ(found.canaries.size(), 1u) << name << " in segments of " << size;
      ASSERT_THAT(found.canaries[0].within, ElementsAre("stream", name));
      ASSERT_THAT(whole, HasSubstr(at(found.canaries[0])));
    }
  }
}

TEST_F(CanariesTest, SmallWindowsAtTheBeginAndPackedTwice) {
  EXPECT_THAT(talked(packed("a small window: " + kSecret, 9), 7).canaries, Contains(is("psk", CanaryForm::Raw)));
  const auto twice = talked(gzip(std::string(3000, 'x') + gzip("inner " + base64(kSecret))), 50);
  ASSERT_EQ(twice.canaries.size(), 1u);
  EXPECT_THAT(twice.canaries[0].within, ElementsAre("stream", "gzip", "gzip"));
  EXPECT_EQ(twice.canaries[0].form, CanaryForm::Base64);
}

TEST_F(CanariesTest, ChunkedAndChunkedAndPacked) {
  const auto chunked = [](const std::string& body, std::size_t size) {
    std::string made = "POST /log HTTP/1.1\r\nHost: cloud\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0; at < body.size(); at += size) {
      const auto part = body.substr(at, size);
      made += hex(number(part.size(), 1), "%x") + ";ext=1\r\n" + part + "\r\n";
    }
    return made + "0\r\n\r\n";
  };
  for (std::size_t size = 1; size < kSecret.size() + 4; ++size)
    for (const std::size_t segment : {std::size_t{1}, std::size_t{7}, std::size_t{1400}}) {
      auto found = talked(chunked("ab" + kSecret + "cd", size), segment);
      ASSERT_THAT(found.canaries, Contains(is("psk", CanaryForm::Raw))) << size << " " << segment;
      ASSERT_EQ(at(found.canaries[0]), kSecret);
      found = talked(chunked(gzip("ab" + kSecret + "cd"), size), segment);
      ASSERT_THAT(found.canaries, Contains(is("psk", CanaryForm::Raw))) << "packed " << size << " " << segment;
      ASSERT_EQ(found.canaries[0].within.back(), "gzip");
    }
}

TEST_F(CanariesTest, DeflateWithoutAHeadWhereHttpSaysSo) {
  const auto body = packed(kSecret + " and " + kSecret, -15);
  const auto head = "POST / HTTP/1.1\r\nContent-Encoding: deflate\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  EXPECT_EQ(talked(head + body, 9).canaries.size(), 2u);
}

TEST_F(CanariesTest, DatagramsFragmentsPaddingAndOtherProtocols) {
  auto found = report({udp(kDut, kCloud, "x" + kSecret), udp(kDut, kCloud, gzip("packed " + kSecret))});
  ASSERT_EQ(found.canaries.size(), 2u);
  EXPECT_THAT(found.canaries[1].within, ElementsAre("datagram", "gzip"));
  EXPECT_EQ(found.canaries[1].seen.places[0].frame, 2u);
  // In the padding of a frame, and in a protocol that nobody here reads.
  found = report({udp(kDut, kCloud, "x") + kSecret, ethernet(0x88b5, "odd " + kSecret)});
  ASSERT_EQ(found.canaries.size(), 2u);
  EXPECT_EQ(found.canaries[0].seen.flow, 0u);
  EXPECT_EQ(found.canaries[1].seen.flow, kNoFlow);
  EXPECT_EQ(at(found.canaries[1]), kSecret);
  // Cut by fragments.
  const auto segment = udp_segment(1, 2, "1234" + kSecret + "5678");
  std::vector<std::string> frames;
  for (std::size_t part = 0; part < segment.size(); part += 8)
    frames.push_back(ip_frame("192.0.2.1", "192.0.2.2", 17, segment.substr(part, 8),
                              {7, static_cast<std::uint16_t>((part + 8 < segment.size() ? 0x2000u : 0u) | part / 8)}));
  found = report(frames);
  ASSERT_EQ(found.canaries.size(), 1u);
  EXPECT_THAT(found.canaries[0].within, ElementsAre("datagram"));
  EXPECT_EQ(at(found.canaries[0]), kSecret);
  EXPECT_GT(found.canaries[0].seen.places.size(), 2u);
  // The flow is of all of them.
  ASSERT_EQ(found.flows.size(), 1u);
  const auto& flow = found.flows[0];
  std::size_t bytes = 0;
  for (const auto& frame : frames) bytes += frame.size();
  EXPECT_EQ(flow.from_client.packets + flow.from_server.packets, frames.size());
  EXPECT_EQ(flow.from_client.bytes + flow.from_server.bytes, bytes);
  EXPECT_EQ(flow.first_frame, 1u);
  ASSERT_EQ(flow.frames.size(), 1u);
  EXPECT_EQ(flow.frames[0].last, frames.size());
}

TEST_F(CanariesTest, OutOfOrderAndAcrossTheEndOfNumbers) {
  std::vector<std::string> frames;
  Talk(frames, kDut, kCloud, 0xfffffff8u).client("before " + kSecret + " after", 4).end();
  std::swap(frames[4], frames[7]);
  std::swap(frames[5], frames[6]);
  const auto found = report(frames);
  ASSERT_EQ(found.canaries.size(), 1u);
  EXPECT_EQ(at(found.canaries[0]), kSecret);
}

TEST_F(CanariesTest, BinaryCanariesThatBeginWithZeros) {
  const std::string key("\0\0\x01\x02\xff\xfe\x80\x7f\0", 9);
  write_capture(file_, {udp(kDut, kCloud, "k=" + key), udp(kDut, kCloud, "k=\xaa" + key.substr(1))});
  const auto found = analyse_capture(file_, {.canaries = {{"key", key}}});
  ASSERT_EQ(found.canaries.size(), 1u);
  EXPECT_EQ(at(found.canaries[0]), key);
}

TEST_F(CanariesTest, AbsenceOverAGapIsNotProved) {
  std::vector<std::string> frames;
  Talk(frames, kDut, kCloud).client("before " + kSecret + " after", 8).end();
  auto found = report(frames);
  ASSERT_EQ(found.canaries.size(), 1u) << "the control";
  frames.erase(frames.begin() + 5);
  found = report(frames);
  EXPECT_THAT(found.canaries, IsEmpty());
  EXPECT_FALSE(found.absence_provable());
  EXPECT_THAT(found.limits, Contains("8 bytes are missing in 1 gaps of TCP streams"));
  ASSERT_EQ(found.gaps.size(), 1u);
  EXPECT_EQ(found.gaps[0].bytes, 8u);
  EXPECT_EQ(found.gaps[0].offset, 16u);
  EXPECT_EQ(found.flows[0].gap_bytes, 8u);
}

TEST_F(CanariesTest, WhateverElseHidesSomethingIsALimit) {
  std::vector<std::string> frames;
  Talk(frames, kDut, kCloud).client("hello").end();
  const auto limit = [](const std::string& text) { return Contains(HasSubstr(text)); };
  EXPECT_THAT(report(frames).limits, IsEmpty());
  EXPECT_THAT(report(frames, {10, 3}).limits, limit("3 packets were lost by the capture on 'tap0'"));
  EXPECT_THAT(report({}).limits, limit("without a single frame"));
  EXPECT_THAT(report({frames.begin() + 3, frames.end()}).limits, limit("1 TCP connections had begun before the capture"));
  auto overlapping = frames;
  overlapping.insert(overlapping.begin() + 4, tcp(kDut, kCloud, 1001, 5001, kAck, "HELLO"));
  EXPECT_THAT(report(overlapping).limits, limit("1 TCP segments said something else"));
  EXPECT_THAT(report({ip_frame("192.0.2.1", "192.0.2.2", 17, "12345678", {7, 0x2000})}).limits, limit("incomplete fragments"));
  auto broken = gzip(std::string(100'000, 'x') + kSecret);
  for (std::size_t i = 100; i < 110; ++i) broken[i] = '\xff';
  EXPECT_THAT(talked(broken, 1400).limits, limit("packed bodies that break off"));
  const auto bomb = gzip(std::string(40u << 20, 'x'));
  EXPECT_THAT(talked(bomb, 1400).limits, limit("packed bodies that are too large unpacked"));
  // A capture whose losses nobody has counted.
  {
    std::filesystem::remove(file_);
    PcapngWriter writer(file_, "t");
    writer.packet(writer.add_interface("tap0", LinkType::Ethernet), {kCaptureBegin, std::as_bytes(std::span(frames[0])), 0, ""});
  }
  EXPECT_THAT(analyse_capture(file_).limits, limit("how many packets the capture lost on 'tap0' is not known"));
}

TEST_F(CanariesTest, WhatIsInThePlainAndYetCodedIsALimit) {
  const std::string upgrade = "GET /chat HTTP/1.1\r\nHost: cloud\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  const auto asked = [this](const std::string& client, const std::string& server) {
    std::vector<std::string> frames;
    Talk talk(frames, kDut, kCloud);
    talk.client(client).server(server).end();
    return report(frames).limits;
  };
  const auto limit = [](const std::string& text) { return ElementsAre(HasSubstr(text)); };
  EXPECT_THAT(asked(upgrade, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), IsEmpty()) << "the control";
  EXPECT_THAT(asked(upgrade, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), limit("WebSocket"));
  const auto post = [](const std::string& encoding) {
    return "POST /log HTTP/1.1\r\nContent-Encoding: " + encoding + "\r\nContent-Length: 2\r\n\r\nab";
  };
  for (const std::string sound : {"identity", "x-gzip", "GZIP"}) EXPECT_THAT(asked(post(sound), ""), IsEmpty()) << sound;
  for (const std::string other : {"br", "zstd", "gzip, br"}) EXPECT_THAT(asked(post(other), ""), limit("not unpacked")) << other;
  EXPECT_THAT(asked("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""), limit("HTTP that is malformed"));
  EXPECT_THAT(asked("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""), limit("HTTP/2"));
}

TEST_F(CanariesTest, ManyFindingsAreCounted) {
  std::vector<std::string> frames(1500, udp(kDut, kCloud, kSecret));
  const auto found = report(frames);
  EXPECT_EQ(found.canaries.size(), CanarySearch::kMostOfOne);
  EXPECT_EQ(found.canaries_not_kept, 500u);
}

TEST_F(CanariesTest, CanariesThatProveNothingAreRefused) {
  const auto cause = [](std::vector<Canary> canaries) { return error_of([&] { CanarySearch search(canaries); }); };
  EXPECT_EQ(cause({{"short", "1234567"}}).kind(), ErrorKind::Config);
  EXPECT_THAT(cause({{"short", "1234567"}}).what(), HasSubstr("canary 'short': has 7 bytes"));
  EXPECT_THAT(cause({{"a", "12345678"}, {"b", "12345678"}}).what(), HasSubstr("canary 'b': is there twice"));
  EXPECT_THAT(cause({{"zeros", std::string(9, '\0')}}).what(), HasSubstr("nothing but zeros"));
}

TEST_F(CanariesTest, JsonHasFramesAndRanges) {
  const auto made = to_json(report({udp(kDut, kCloud, "x" + kSecret)}));
  const auto& finding = made["canaries"][0];
  EXPECT_EQ(finding["canary"], "psk");
  EXPECT_EQ(finding["form"], "raw");
  EXPECT_EQ(finding["places"][0]["frame"], 1);
  EXPECT_EQ(finding["places"][0]["offset"], 43);
  EXPECT_EQ(finding["places"][0]["bytes"], kSecret.size());
  EXPECT_EQ(made["absence_provable"], true);
  EXPECT_EQ(made.dump().find(kSecret), std::string::npos) << "the report itself is no leak";
}

}  // namespace
}  // namespace hilcop::analysis
