// SPDX-License-Identifier: Apache-2.0
// How far a capture is read: as far as it was written, until the deadline, or until somebody wants it to stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"
#include "network/analysis/capture_report.h"
#include "network/analysis/packets.h"

namespace hilcop::analysis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReadingTest : public testing::Test {
 protected:
  void SetUp() override {
    PcapngWriter writer(file_, "hilcop tests");
    const auto wire = writer.add_interface("device", LinkType::Ethernet);
    const auto frame = udp({"192.0.2.1", 4000}, {"192.0.2.2", 5000}, "hello");
    for (int i = 0; i < 5; ++i) writer.packet(wire, {kCaptureBegin, std::as_bytes(std::span(frame)), 0, ""});
    // No statistics: its writer has not ended.
  }
  CaptureReport so_far(std::uint64_t frames, std::uint64_t dropped) {
    CaptureReportOptions options;
    options.so_far = WrittenSoFar{frames, dropped};
    return analyse_capture(file_, options);
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_ / "a.pcapng";
};

TEST_F(ReadingTest, WhatIsStillWrittenIsReadAsFarAsItWasSynchronised) {
  EXPECT_THAT(analyse_capture(file_).limits, ElementsAre(HasSubstr("lost on 'device' is not known"))) << "the control";
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) - 7);  // the fifth is on its way
  const auto found = so_far(4, 0);
  EXPECT_EQ(found.frames, 4u);
  EXPECT_THAT(found.damage, IsEmpty());
  EXPECT_TRUE(found.absence_provable()) << testing::PrintToString(found.limits);
  EXPECT_EQ(found.counts[0]->received, 4u);
}

TEST_F(ReadingTest, WhatItsWriterLostOrDidNotWriteIsALimit) {
  EXPECT_THAT(so_far(5, 2).limits, ElementsAre("2 packets were lost by the capture on 'device'"));
  EXPECT_THAT(so_far(7, 0).limits, ElementsAre("2 frames were recorded and are not in the file"));
}

TEST_F(ReadingTest, ItEndsAtItsDeadline) {
  CaptureReportOptions options;
  options.deadline = Deadline::in(1h);
  EXPECT_EQ(analyse_capture(file_, options).frames, 5u) << "the control";
  options.deadline = Deadline(SteadyTime());
  const auto error = error_of([&] { analyse_capture(file_, options); });
  EXPECT_EQ(error.kind(), ErrorKind::Timeout);
  EXPECT_THAT(error.what(), HasSubstr("a.pcapng: was not read to its end in time"));
}

TEST_F(ReadingTest, ItEndsWhenItIsInterrupted) {
  request_interrupt();
  EXPECT_THROW(analyse_capture(file_), Interrupted);
  clear_interrupt();
  EXPECT_EQ(analyse_capture(file_).frames, 5u);
}

}  // namespace
}  // namespace hilcop::analysis
