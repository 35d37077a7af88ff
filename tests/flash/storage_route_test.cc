// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "evidence/sha256.h"
#include "fake_dut.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"
#include "flash/flash.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kMiB = 1u << 20;

class StorageRouteTest : public testing::Test {
 protected:
  StorageRouteTest() {
    dut_.medium.bytes.assign(8 * kMiB, std::byte{0xee});
    std::mt19937 random(7);  // nothing in it comes twice
    for (std::size_t i = 0; i < 3 * kMiB + 1000; ++i) image_ += static_cast<char>(random());
    std::ofstream(dir_ / "image", std::ios::binary) << image_;
  }
  FlashPart& flash_part(std::uint64_t offset = 0) { return dut_.part(false, {{"name", "main"}, {"offset_bytes", offset}}); }
  FlashPart& dump_part(json length = nullptr) {
    return dut_.part(true, {{"name", "main"}, {"offset_bytes", 512}, {"length_bytes", std::move(length)}});
  }
  FlashResult write(const std::string& name = "image") {
    FlashRequest request;
    request.file = dir_ / name;
    request.progress = [this](const FlashProgress& progress) { seen_.push_back(progress); };
    return flash(dut_, request);
  }
  FlashResult read() {
    FlashRequest request;
    request.file = dir_ / "out";
    return dump(dut_, request);
  }
  std::string on_medium(std::size_t from, std::size_t size) const {
    return {reinterpret_cast<const char*>(dut_.medium.bytes.data()) + from, size};
  }
  void nothing_was_written() const {
    EXPECT_EQ(dut_.medium.written, 0u);
    EXPECT_THAT(dut_.log, ElementsAre("host", "dut")) << "and the DUT has its card again";
  }

  TempDir dir_;
  FakeDut dut_;
  std::string image_;
  std::vector<FlashProgress> seen_;
};

TEST_F(StorageRouteTest, WritesVerifiesAndLeavesTheRestOfTheMediumAlone) {
  flash_part(1024);
  const auto result = write();
  EXPECT_EQ(result.bytes, image_.size());
  EXPECT_EQ(result.sha256, sha256_hex(image_));
  EXPECT_EQ(result.verified_by, "read back, SHA-256");
  EXPECT_EQ(on_medium(1024, image_.size()), image_);
  EXPECT_EQ(on_medium(0, 1024), std::string(1024, '\xee'));
  const auto end = 1024 + image_.size();
  EXPECT_EQ(on_medium(end, dut_.medium.bytes.size() - end), std::string(dut_.medium.bytes.size() - end, '\xee'))
      << "also in the last block";
  EXPECT_THAT(dut_.log, ElementsAre("host", "dut"));
  EXPECT_GE(dut_.medium.syncs, 1);
  EXPECT_EQ(seen_.front().phase, "write");
  EXPECT_EQ(seen_.back().phase, "verify");
  EXPECT_EQ(seen_.back().done, image_.size());
  const auto end_event = dut_.sink.events("flash.end").at(0).data;
  EXPECT_EQ(end_event["verified_by"], "read back, SHA-256");
  EXPECT_TRUE(end_event["error"].is_null());
}

TEST_F(StorageRouteTest, PackedImagesAreUnpackedAndDamagedOnesFoundBeforeAByteIsWritten) {
  flash_part();
  ProcessOptions options;
  options.program = "sh";
  options.arguments = {"-c", "xz -k image; gzip -k image; head -c 2000 image.xz > cut.xz"};
  options.directory = dir_.path();
  ASSERT_EQ(run_process(options, Deadline::in(20s)).status.code, 0);
  EXPECT_EQ(error_of([&] { write("cut.xz"); }).kind(), ErrorKind::Protocol);
  nothing_was_written();
  for (const char* name : {"image.xz", "image.gz"}) {
    dut_.medium.bytes.assign(8 * kMiB, std::byte{0xee});
    EXPECT_EQ(write(name).sha256, sha256_hex(image_));
    EXPECT_EQ(on_medium(0, image_.size()), image_);
  }
}

TEST_F(StorageRouteTest, AnImageThatDoesNotFitIsRefusedBeforeAByteIsWritten) {
  flash_part(5 * kMiB);
  const auto error = error_of([&] { write(); });
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.what(), HasSubstr("has 3146728 bytes, and there is room for 3145728 on /dev/fake"));
  nothing_was_written();
}

TEST_F(StorageRouteTest, APackedImageThatWouldNeverEndIsGivenUpAtTheSizeOfTheMedium) {
  flash_part();
  ProcessOptions options;
  options.program = "sh";
  options.arguments = {"-c", "head -c 100M /dev/zero | gzip -1 > bomb.gz"};
  options.directory = dir_.path();
  ASSERT_EQ(run_process(options, Deadline::in(30s)).status.code, 0);
  EXPECT_EQ(error_of([&] { write("bomb.gz"); }).kind(), ErrorKind::Config);
  nothing_was_written();
}

TEST_F(StorageRouteTest, AnEmptyImageAndOneThatIsNotThereAreRefused) {
  flash_part();
  std::ofstream(dir_ / "empty");
  EXPECT_EQ(error_of([&] { write("empty"); }).kind(), ErrorKind::Config);
  EXPECT_THAT(dut_.log, IsEmpty()) << "nothing was switched";
  ProcessOptions options;
  options.program = "gzip";
  options.arguments = {"empty"};
  options.directory = dir_.path();
  ASSERT_EQ(run_process(options, Deadline::in(20s)).status.code, 0);
  EXPECT_THAT(error_of([&] { write("empty.gz"); }).what(), HasSubstr("empty.gz is empty"));
  nothing_was_written();
  EXPECT_EQ(error_of([&] { write("none"); }).kind(), ErrorKind::Config);
}

TEST_F(StorageRouteTest, AnUnplugInTheMiddleSaysHowFarItCame) {
  flash_part();
  dut_.medium.unplugged_at = 2 * kMiB + 4096;
  const auto error = error_of([&] { write(); });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(error.what(), HasSubstr("2097152 of 3146728 bytes had been written"));
  EXPECT_THAT(dut_.log, ElementsAre("host", "dut"));
  EXPECT_EQ(dut_.sink.events("flash.end").at(0).data["error"]["kind"], "Disconnected");
}

TEST_F(StorageRouteTest, AMediumThatKeepsNothingIsFound) {
  flash_part();
  dut_.medium.swallows = true;
  const auto error = error_of([&] { write(); });
  EXPECT_EQ(error.kind(), ErrorKind::Protocol);
  EXPECT_THAT(error.what(), HasSubstr("differs from the image from byte 0 on"));
}

TEST_F(StorageRouteTest, ACounterfeitThatIsSmallerThanItSaysIsFound) {
  flash_part();
  dut_.medium.says = 16 * kMiB;
  dut_.medium.wraps = 2 * kMiB;
  EXPECT_THAT(error_of([&] { write(); }).what(), HasSubstr("differs from the image from byte"));
}

TEST_F(StorageRouteTest, WithoutVerifyingItSaysSo) {
  flash_part().verify = false;
  dut_.medium.swallows = true;
  const auto result = write();
  EXPECT_EQ(result.verified_by, "");
  EXPECT_EQ(result.unverified_why, "the board file says verify: false");
}

TEST_F(StorageRouteTest, ATimeLimitAndCtrlCEndItBetweenPieces) {
  flash_part().timeout = 0s;
  EXPECT_EQ(error_of([&] { write(); }).kind(), ErrorKind::Timeout);
  EXPECT_EQ(dut_.log.back(), "dut");
  dut_.settings().board.flash[0].timeout = 20s;
  FlashRequest request;
  request.file = dir_ / "image";
  request.progress = [](const FlashProgress& progress) {
    if (progress.done >= kMiB) request_interrupt();
  };
  EXPECT_THROW(flash(dut_, request), Interrupted);
  clear_interrupt();
  EXPECT_EQ(dut_.medium.written, kMiB);
  EXPECT_EQ(dut_.log.back(), "dut");
}

TEST_F(StorageRouteTest, WhateverEndsItIsOnTheTimeline) {
  flash_part();
  FlashRequest request;
  request.file = dir_ / "image";
  request.progress = [](const FlashProgress&) { throw std::runtime_error("no such thing"); };
  EXPECT_THROW(flash(dut_, request), std::runtime_error);
  EXPECT_EQ(dut_.sink.events("flash.end").at(0).data["error"]["cause"], "no such thing");
}

TEST_F(StorageRouteTest, AnOffsetThatIsNoBlockIsRefused) {
  flash_part(100);
  EXPECT_THAT(error_of([&] { write(); }).what(), HasSubstr("multiple of 512"));
  nothing_was_written();
}

TEST_F(StorageRouteTest, ADumpIsAllOfItWithItsSha256) {
  dump_part();
  for (std::size_t i = 0; i < dut_.medium.bytes.size(); ++i) dut_.medium.bytes[i] = static_cast<std::byte>(i * 13 ^ i >> 11);
  const auto result = read();
  EXPECT_EQ(result.bytes, 8 * kMiB - 512);
  EXPECT_EQ(result.sha256, sha256_file(dir_ / "out"));
  EXPECT_EQ(result.sha256, sha256_hex(on_medium(512, 8 * kMiB - 512)));
  EXPECT_EQ(result.verified_by, "second read, SHA-256");
  dut_.settings().board.dump.clear();
  dump_part(1'000'001);
  EXPECT_EQ(read().sha256, sha256_hex(on_medium(512, 1'000'001))) << "a length that is no whole block";
}

TEST_F(StorageRouteTest, ADumpThatFailsLeavesNoFileAndNoneIsOverwritten) {
  dump_part();
  std::ofstream(dir_ / "out") << "earlier";
  dut_.medium.unplugged_at = 3 * kMiB;
  EXPECT_THAT(error_of([&] { read(); }).what(), HasSubstr("bytes had been read"));
  dut_.medium.unplugged_at = ~0ull;
  dut_.medium.changes = true;
  EXPECT_THAT(error_of([&] { read(); }).what(), HasSubstr("two reads of /dev/fake differ"));
  std::string content;
  std::getline(std::ifstream(dir_ / "out") >> std::ws, content);
  EXPECT_TRUE(content == "earlier");
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path()))
    EXPECT_EQ(entry.path().string().find(".part-"), std::string::npos) << entry.path();
}

TEST_F(StorageRouteTest, ADumpForWhichTheDiskHasNoRoomIsRefusedAtOnce) {
  dump_part();
  dut_.medium.says = 1ull << 60;
  const auto error = error_of([&] { read(); });
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "out"));
}

TEST_F(StorageRouteTest, ADiskThatFillsUpMeanwhileIsExhaustedAndLeavesNoFile) {
  dump_part();
  // A limit of this process stands for the end of the disk.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{2 * kMiB + 100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
  const auto error = error_of([&] { read(); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error.kind(), ErrorKind::Exhausted) << error.what();
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) EXPECT_EQ(entry.path().filename(), "image");
}

TEST_F(StorageRouteTest, PartsAreChosenByNameAndTheFirstWithoutOne) {
  EXPECT_THAT(error_of([&] { write(); }).what(), HasSubstr("its board says nothing under `flash:`"));
  flash_part();
  flash_part(4 * kMiB).name = "data";
  FlashRequest request;
  request.file = dir_ / "image";
  request.part = "data";
  EXPECT_EQ(flash(dut_, request).part, "data");
  EXPECT_EQ(on_medium(4 * kMiB, image_.size()), image_);
  request.part = "date";
  EXPECT_THAT(error_of([&] { flash(dut_, request); }).what(), HasSubstr("choose one of: card, data"));
  request.part = "";
  EXPECT_EQ(flash(dut_, request).part, "card");
}

}  // namespace
}  // namespace hilcop
