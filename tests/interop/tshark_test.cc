// SPDX-License-Identifier: Apache-2.0
// Wireshark's own programs read our captures, and we theirs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/capture_reader.h"
#include "capture/pcapng_writer.h"
#include "fakes/temp_dir.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr UtcTime kMoment(Nanoseconds(1'732'000'000'123'456'789));
const std::string kFrame = std::string("\xff\xff\xff\xff\xff\xff\2\0\0\0\0\1\x88\xb5", 14) + "of no protocol that is known to anybody";

std::string run(const std::string& program, const std::vector<std::string>& arguments) {
  ProcessOptions options;
  options.program = program;
  options.arguments = arguments;
  options.capture_output = true;
  const auto result = run_process(options, Deadline::in(60s));
  EXPECT_EQ(result.status.code, 0) << program << ": " << result.output;
  return result.output;
}

class TsharkTest : public testing::Test {
 protected:
  void SetUp() override {
    PcapngWriter writer(ours_, "hilcop", "run 42");
    const auto wire = writer.add_interface("tap0", LinkType::Ethernet), other = writer.add_interface("tap1", LinkType::Ethernet);
    const auto bytes = std::as_bytes(std::span(kFrame));
    writer.mark("power on");
    writer.packet(wire, {kMoment, bytes, 0, ""});
    writer.tls_secrets("CLIENT_RANDOM " + std::string(64, 'a') + " " + std::string(96, 'b') + "\n");
    writer.packet(other, {kMoment + 1ns, bytes.first(20), static_cast<std::uint32_t>(kFrame.size()), "cut"});
    writer.packet(wire, {kMoment + 1h, bytes, 0, ""});
    writer.statistics(wire, {2, 9}, kMoment + 1h);
  }
  TempDir dir_;
  std::filesystem::path ours_ = dir_ / "ours.pcapng";
};

TEST_F(TsharkTest, ReadsWhatWeWrite) {
  const auto said = run("tshark", {"-r", ours_, "-T", "fields", "-E", "separator=|", "-e", "frame.number", "-e", "frame.time_epoch", "-e",
                                   "frame.len", "-e", "frame.cap_len", "-e", "frame.interface_name", "-e", "frame.comment"});
  EXPECT_THAT(said, HasSubstr("1|1732000000.123456789|53|53|tap0|power on\n"));
  EXPECT_THAT(said, HasSubstr("2|1732000000.123456790|53|20|tap1|cut\n"));
  EXPECT_THAT(said, HasSubstr("3|1732003600.123456789|53|53|tap0|\n"));
  const auto head = run("capinfos", {ours_});
  EXPECT_THAT(head, HasSubstr("Capture comment:     run 42"));
  EXPECT_THAT(head, HasSubstr("Number of stat entries = 1"));
  EXPECT_THAT(head, HasSubstr("Number of decryption secrets in file: 1"));
}

TEST_F(TsharkTest, WritesWhatWeRead) {
  for (const std::string format : {"pcapng", "nsecpcap", "pcap"}) {
    const auto theirs = dir_ / format;
    // Of two interfaces the older formats hold one.
    run("editcap", {"-F", format, ours_, theirs, "2"});
    CaptureReader reader(theirs);
    std::vector<UtcTime> times;
    std::string comments;
    while (const auto packet = reader.next()) {
      times.push_back(packet->at);
      comments += packet->comment;
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(packet->bytes.data()), packet->bytes.size()), kFrame);
    }
    const auto unit = format == "pcap" ? Nanoseconds(1000) : Nanoseconds(1);
    EXPECT_THAT(times,
                ElementsAre(UtcTime(kMoment.time_since_epoch() / unit * unit), UtcTime((kMoment + 1h).time_since_epoch() / unit * unit)));
    EXPECT_EQ(comments, format == "pcapng" ? "power on" : "");
    EXPECT_THAT(reader.damage(), testing::IsEmpty());
  }
}

}  // namespace
}  // namespace hilcop
