// SPDX-License-Identifier: Apache-2.0
// What PcapngWriter writes, read by CaptureReader; and what others write, or tear.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "capture/capture_reader.h"
#include "capture/pcapng_writer.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr UtcTime kMoment(Nanoseconds(1'732'000'000'123'456'789));

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct Read {
  std::vector<CapturedPacket> packets;  // without bytes, which do not live so long
  std::vector<std::string> texts, damage;
};

Read read_all(const std::filesystem::path& file) {
  CaptureReader reader(file);
  Read read;
  while (const auto packet = reader.next()) {
    read.texts.push_back(text_of(packet->bytes));
    read.packets.push_back(*packet);
  }
  read.damage = reader.damage();
  return read;
}

class CaptureTest : public testing::Test {
 protected:
  std::string content() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& bytes) const { std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes; }

  TempDir dir_;
  std::filesystem::path file_ = dir_ / "a.pcapng";
};

TEST_F(CaptureTest, EverythingThatIsWrittenIsRead) {
  {
    PcapngWriter writer(file_, "hilcop", "run 42");
    const auto wire = writer.add_interface("tap0", LinkType::Ethernet, 9000), usb = writer.add_interface("usbmon1", LinkType::UsbLinux);
    writer.mark("power on");
    writer.mark("link up");
    writer.packet(wire, {kMoment, bytes_of("first"), 0, "of itself"});
    writer.tls_secrets("CLIENT_RANDOM aa bb\n");
    writer.packet(usb, {kMoment + 1ns, bytes_of("cut"), 1500, ""});
    writer.packet(wire, {kMoment + 1s, {}, 60, ""});
    writer.mark("power off");
    writer.statistics(wire, {7, 5}, kMoment + 2s);
    EXPECT_FALSE(writer.failure());
  }
  CaptureReader reader(file_);
  auto packet = reader.next();
  ASSERT_TRUE(packet);
  EXPECT_EQ(text_of(packet->bytes), "first");
  EXPECT_EQ(packet->at, kMoment);
  EXPECT_EQ(packet->length, 5u);
  EXPECT_EQ(packet->comment, "power on\nlink up\nof itself");
  EXPECT_EQ(packet->frame, 1u);
  EXPECT_EQ(content().substr(packet->offset, 5), "first");
  EXPECT_THAT(reader.tls_secrets(), IsEmpty()) << "not read so far";
  packet = reader.next();
  ASSERT_TRUE(packet);
  EXPECT_EQ(text_of(packet->bytes), "cut");
  EXPECT_EQ(packet->at, kMoment + 1ns);
  EXPECT_EQ(packet->length, 1500u);
  EXPECT_EQ(packet->interface, 1u);
  EXPECT_EQ(packet->comment, "");
  EXPECT_EQ(reader.tls_secrets(), "CLIENT_RANDOM aa bb\n");
  packet = reader.next();
  ASSERT_TRUE(packet);
  EXPECT_THAT(packet->bytes, IsEmpty());
  EXPECT_EQ(packet->length, 60u);
  EXPECT_EQ(packet->frame, 3u);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next()) << "the end stays one";
  ASSERT_EQ(reader.interfaces().size(), 2u);
  EXPECT_EQ(reader.interfaces()[0].name, "tap0");
  EXPECT_EQ(reader.interfaces()[0].snap_length, 9000u);
  EXPECT_EQ(reader.interfaces()[1].type, LinkType::UsbLinux);
  ASSERT_TRUE(reader.counts()[0]);
  EXPECT_EQ(reader.counts()[0]->received, 7u);
  EXPECT_EQ(reader.counts()[0]->dropped, 5u);
  EXPECT_FALSE(reader.counts()[1]) << "nothing is known of what it lost";
  EXPECT_THAT(reader.comments(), ElementsAre("run 42", "power off"));
  EXPECT_THAT(reader.damage(), IsEmpty());
  EXPECT_EQ(reader.unknown_blocks(), 0u);
}

TEST_F(CaptureTest, WhatWasFlushedIsThereWhileItGoesOn) {
  PcapngWriter writer(file_, "hilcop");
  const auto wire = writer.add_interface("tap0", LinkType::Ethernet);
  writer.packet(wire, {kMoment, bytes_of("flushed"), 0, ""});
  writer.flush(true);
  writer.packet(wire, {kMoment, bytes_of("not yet"), 0, ""});
  EXPECT_THAT(read_all(file_).texts, ElementsAre("flushed"));
  EXPECT_GT(writer.size(), std::filesystem::file_size(file_));
}

TEST_F(CaptureTest, TornAnywhereItGivesWhatIsWholeAndSaysSo) {
  {
    PcapngWriter writer(file_, "hilcop");
    const auto wire = writer.add_interface("tap0", LinkType::Ethernet);
    for (const char* text : {"one", "two"}) writer.packet(wire, {kMoment, bytes_of(text), 0, "c"});
  }
  const auto whole = content();
  std::size_t without_damage = 0;
  for (std::size_t size = 12; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    const auto read = read_all(file_);
    ASSERT_LE(read.texts.size(), 1u) << size;
    if (read.damage.empty()) ++without_damage;
    if (!read.damage.empty()) {
      ASSERT_THAT(read.damage, ElementsAre(HasSubstr("the file ends within a block"))) << size;
    }
  }
  EXPECT_EQ(without_damage, 3u) << "after the head, the interface and the first packet";
}

TEST_F(CaptureTest, AFlippedBitAnywhereNeitherCrashesNorInventsPackets) {
  {
    PcapngWriter writer(file_, "hilcop", "c");
    const auto wire = writer.add_interface("tap0", LinkType::Ethernet);
    for (const char* text : {"one", "two", "three"}) writer.packet(wire, {kMoment, bytes_of(text), 0, "c"});
    writer.statistics(wire, {3, 0}, kMoment);
  }
  const auto whole = content();
  for (std::size_t bit = 32; bit < whole.size() * 8; ++bit) {
    auto spoilt = whole;
    spoilt[bit / 8] = static_cast<char>(spoilt[bit / 8] ^ (1 << (bit % 8)));
    write(spoilt);
    ASSERT_LE(read_all(file_).texts.size(), 3u) << bit;
  }
}

TEST_F(CaptureTest, ABlockWithoutSenseIsLostAloneAndNamed) {
  {
    PcapngWriter writer(file_, "hilcop");
    const auto wire = writer.add_interface("tap0", LinkType::Ethernet);
    writer.packet(wire + 3, {kMoment, bytes_of("nobody's"), 0, ""});
    writer.packet(wire, {kMoment, bytes_of("ours"), 0, ""});
  }
  const auto read = read_all(file_);
  EXPECT_THAT(read.texts, ElementsAre("ours"));
  EXPECT_THAT(read.damage, ElementsAre(HasSubstr("a packet of an interface that is not there")));
}

TEST_F(CaptureTest, PcapOfEitherByteOrderAndUnit) {
  const std::string little("\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0\5\0\0\0\7\0\0\0\2\0\0\0\3\0\0\0ab", 42);
  write(little);
  auto read = read_all(file_);
  ASSERT_THAT(read.texts, ElementsAre("ab"));
  EXPECT_EQ(read.packets[0].at, UtcTime(5s + 7us));
  EXPECT_EQ(read.packets[0].length, 3u);
  const std::string big("\xa1\xb2\x3c\x4d\0\2\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\1\0\0\0\5\0\0\0\7\0\0\0\2\0\0\0\2ab", 42);
  write(big);
  read = read_all(file_);
  ASSERT_THAT(read.texts, ElementsAre("ab"));
  EXPECT_EQ(read.packets[0].at, UtcTime(5s + 7ns));
  write(big.substr(0, 41));
  EXPECT_THAT(read_all(file_).damage, ElementsAre("at byte 24: the file ends within a packet"));
}

TEST_F(CaptureTest, BigEndianSectionsAndOtherUnitsOfTime) {
  // A section head, an interface with a resolution of 2^-10 s and an offset of a day, and a packet of it, all big-endian.
  const std::string head("\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\x1c", 28);
  const std::string interface("\0\0\0\1\0\0\0\x2c\0\1\0\0\0\0\0\0\0\x09\0\1\x8a\0\0\0\0\x0e\0\x08\0\0\0\0\0\1\x51\x80\0\0\0\0\0\0\0\x2c",
                              44);
  const std::string packet("\0\0\0\6\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\x06\0\0\0\0\1\0\0\0\1z\0\0\0\0\0\0\x24", 36);
  write(head + interface + packet);
  const auto read = read_all(file_);
  ASSERT_THAT(read.texts, ElementsAre("z"));
  EXPECT_EQ(read.packets[0].at, UtcTime(std::chrono::days(1) + 1500ms));
  EXPECT_THAT(read.damage, IsEmpty());
}

TEST_F(CaptureTest, WhatIsNoCaptureIsRefusedByName) {
  write("GIF89a, and a good many bytes more");
  EXPECT_THAT(error_of([this] { CaptureReader reader(file_); }).what(), HasSubstr("is neither a pcapng nor a pcap file"));
  write("");
  EXPECT_EQ(error_of([this] { CaptureReader reader(file_); }).kind(), ErrorKind::Protocol);
  EXPECT_EQ(error_of([this] { CaptureReader reader(dir_ / "none"); }).kind(), ErrorKind::NotFound);
  ASSERT_EQ(::mkfifo((dir_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([this] { CaptureReader reader(dir_ / "pipe"); }).kind(), ErrorKind::Config) << "nobody waits for who never writes";
}

TEST_F(CaptureTest, AFullDiskIsSaidAndNothingMoreIsWritten) {
  PcapngWriter writer(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)), "capture of dut 'a'", "hilcop");
  const auto wire = writer.add_interface("tap0", LinkType::Ethernet);
  writer.packet(wire, {kMoment, bytes_of("x"), 0, ""});
  writer.flush();
  ASSERT_TRUE(writer.failure());
  EXPECT_EQ(writer.failure()->kind(), ErrorKind::Exhausted);
  EXPECT_THAT(writer.failure()->what(), HasSubstr("capture of dut 'a'"));
  const auto size = writer.size();
  for (int i = 0; i < 1000; ++i) writer.packet(wire, {kMoment, bytes_of("x"), 0, ""});
  EXPECT_EQ(writer.size(), size) << "memory stays bounded";
}

TEST_F(CaptureTest, AFileThatIsThereIsNotOverwritten) {
  write("somebody's");
  EXPECT_THROW(PcapngWriter(file_, "hilcop"), Error);
  EXPECT_EQ(content(), "somebody's");
}

}  // namespace
}  // namespace hilcop
