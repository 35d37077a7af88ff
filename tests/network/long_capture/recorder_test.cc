// SPDX-License-Identifier: Apache-2.0
// A recorder for long: in a ring, on a disk that gets full, and for a reader that stops.
#include <fcntl.h>
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HILCOP_SANITIZED 1
#include <sanitizer/allocator_interface.h>
#endif
#endif

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "capture/capture_reader.h"
#include "capture/packet_recorder.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"
#include "network/long_capture/numbered_frames.h"
#include "network/port/links.h"
#include "network/port/packet_ring.h"
#include "network/port/tap.h"

namespace hilcop {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;

class LongRecorderTest : public testing::Test {
 protected:
  void SetUp() override {
    links_.set_queue_length("port", 10'000);
    links_.set_silent("port");  // what the kernel would say there by itself is nobody's loss
    links_.set_up("port", true);
  }
  void send(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto frame = numbered_frame(sent_++);
      ASSERT_EQ(::write(device_.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
    }
  }
  std::vector<std::uint32_t> sent_from(std::uint32_t first) const {
    std::vector<std::uint32_t> numbers;
    for (auto i = first; i < sent_; ++i) numbers.push_back(i);
    return numbers;
  }
  static std::size_t memory_kib() {
#ifdef HILCOP_SANITIZED
    return __sanitizer_get_current_allocated_bytes() / 1024;  // a sanitizer keeps what was given back for a while
#endif
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmData:")) return std::stoul(line.substr(7));
    return 0;
  }

  TempDir dir_;
  SmallDisk disk_{dir_ / "disk", std::size_t{4} << 20};
  UniqueFd device_ = make_tap("port");
  Links links_;
  std::uint32_t sent_ = 0;
};

TEST_F(LongRecorderTest, FilesOfARingTogetherAreWhatPassed) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"),
                          std::make_unique<CaptureFiles>(dir_ / "a.pcapng", CaptureRing{300'000, 100}, "test", ""));
  for (int i = 0; i < 20; ++i) {
    recorder.mark("round " + std::to_string(i));
    send(100);
    recorder.sync(Deadline::in(10s));
  }
  const auto status = recorder.stop();
  EXPECT_EQ(status.dropped, 0U);
  EXPECT_EQ(status.packets_removed, 0U);
  EXPECT_THAT(status.files->size(), AllOf(Ge(9U), Le(14U)));
  const auto found = numbered_frames(*status.files);
  EXPECT_EQ(found.numbers, sent_from(0));
  EXPECT_THAT(found.damage, IsEmpty());
  EXPECT_THAT(found.missing, IsEmpty());
  ASSERT_TRUE(found.counts.at(0));
  EXPECT_EQ(found.counts[0]->received, status.packets);
}

// Twenty times what the disk holds.
TEST_F(LongRecorderTest, ARingDoesNotFillTheDisk) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"),
                          std::make_unique<CaptureFiles>(disk_ / "a.pcapng", CaptureRing{1'000'000, 3}, "test", ""));
  const auto before = recorder.status().begins;
  while (sent_ < 60'000) {
    send(2000);
    recorder.sync(Deadline::in(10s));
  }
  const auto status = recorder.stop();
  ASSERT_FALSE(status.failure) << status.failure->what();
  EXPECT_EQ(status.dropped, 0U);
  EXPECT_THAT(status.bytes, AllOf(Ge(2'000'000U), Le(3'000'000U)));
  EXPECT_EQ(status.files->size(), 3U);
  EXPECT_GT(status.begins, before);
  EXPECT_GT(status.files_removed, 70U);
  const auto found = numbered_frames(*status.files);
  ASSERT_FALSE(found.numbers.empty());
  EXPECT_EQ(found.numbers, sent_from(found.numbers.front()));
  EXPECT_THAT(found.missing, ElementsAre(HasSubstr("packets were recorded before")));
}

TEST_F(LongRecorderTest, AFullDiskIsToldAndTheFileIsWholeUpToIt) {
  const std::vector<std::filesystem::path> file{disk_ / "a.pcapng"};
  PacketRecorder recorder(std::make_unique<PacketRing>("port"), std::make_unique<PcapngWriter>(file[0], "test"));
  send(5000);  // 7 MB
  recorder.sync(Deadline::in(10s));
  auto status = recorder.status();
  ASSERT_TRUE(status.failure);
  EXPECT_EQ(status.failure->kind(), ErrorKind::Exhausted);
  EXPECT_THAT(status.failure->what(), AllOf(HasSubstr(file[0].string()), HasSubstr("No space left"), HasSubstr("free disk space")));
  EXPECT_EQ(status.packets + status.dropped, 5000U) << "what the disk had no room for is lost too";
  send(100);
  status = recorder.stop();
  const auto found = numbered_frames(file);
  EXPECT_THAT(found.damage, IsEmpty());
  EXPECT_EQ(found.numbers.size(), status.packets);
  EXPECT_EQ(std::filesystem::file_size(file[0]), status.bytes);
  EXPECT_FALSE(found.counts.at(0)) << "its end is not there, so that nobody takes it for all";
  EXPECT_EQ(status.packets + status.dropped, 5100U);
}

TEST_F(LongRecorderTest, ARingOnADiskThatOthersFillSaysSo) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"),
                          std::make_unique<CaptureFiles>(disk_ / "a.pcapng", CaptureRing{1'000'000, 3}, "test", ""));
  send(1000);
  recorder.sync(Deadline::in(10s));
  std::ofstream(disk_ / "others") << std::string(std::size_t{8} << 20, 'x');
  send(1000);
  const auto status = recorder.stop();
  ASSERT_TRUE(status.failure);
  EXPECT_EQ(status.failure->kind(), ErrorKind::Exhausted);
  EXPECT_EQ(status.packets + status.dropped, 2000U);
  const auto found = numbered_frames(*status.files);
  EXPECT_EQ(found.numbers.size(), status.packets);
  EXPECT_THAT(found.damage, IsEmpty());
  EXPECT_FALSE(found.counts.at(0));
}

TEST_F(LongRecorderTest, AMarkThatNoPacketHasRoomForIsCounted) {
  PacketRecorder recorder(std::make_unique<PacketRing>("port"), std::make_unique<PcapngWriter>(dir_ / "a.pcapng", "test"));
  recorder.mark("first");
  for (int i = 0; i < 3; ++i) recorder.mark(std::string(30'000, 'x'));
  recorder.sync(Deadline::in(20s));
  EXPECT_EQ(recorder.status().notes_lost, 1U);
  send(1);
  recorder.mark("next");
  EXPECT_EQ(recorder.stop().notes_lost, 1U) << "the next packet has room again";
  CaptureReader reader(dir_ / "a.pcapng");
  const auto packet = reader.next();
  ASSERT_TRUE(packet);
  EXPECT_TRUE(packet->comment.starts_with("first\nxxx"));
}

// The same in its figures and for whoever reads the file later.
TEST_F(LongRecorderTest, WhatTheHardwareLostIsLostToTheFileToo) {
  std::atomic<std::uint64_t> lost{0};
  PacketRecorder recorder(std::make_unique<PacketRing>("port", [&] { return lost.load(); }),
                          std::make_unique<PcapngWriter>(dir_ / "a.pcapng", "test"));
  send(10);
  recorder.sync(Deadline::in(20s));
  EXPECT_EQ(recorder.status().dropped, 0U);
  lost = 3;
  send(5);
  recorder.sync(Deadline::in(20s));
  EXPECT_EQ(recorder.status().dropped, 3U);
  EXPECT_EQ(recorder.stop().dropped, 3U);
  CaptureReader reader(dir_ / "a.pcapng");
  int packets = 0;
  while (reader.next()) ++packets;
  EXPECT_EQ(packets, 15);
  ASSERT_TRUE(reader.counts().at(0));
  EXPECT_EQ(reader.counts().at(0)->dropped, 3U);
}

// A pipe holds 64 KiB, the kernel's ring 64 MiB: what is more is dropped and counted, in no more memory.
TEST_F(LongRecorderTest, AReaderThatStopsMakesItDropAndNotGrow) {
  const auto pipe = dir_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  UniqueFd out(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  PacketRecorder recorder(std::make_unique<PacketRing>("port"),
                          std::make_unique<PcapngWriter>(std::move(out), "capture for nobody", "test"));
  send(1000);
  const auto before = memory_kib();
  send(100'000);  // 140 MB
  const std::string secret = "CLIENT_RANDOM " + std::string(64, 'a') + " " + std::string(96, 'b') + "\n";
  for (int i = 0; i < 100'000; ++i) recorder.tls_secrets(secret);  // 17 MB
  EXPECT_LT(memory_kib(), before + 32 * 1024) << "it grows by 16 MiB";
  EXPECT_EQ(error_of([&] { recorder.sync(Deadline::in(100ms)); }).kind(), ErrorKind::Timeout);
  const auto begin = real_clock().now();
  const auto status = recorder.stop();
  EXPECT_LT(real_clock().now() - begin, 8s);
  EXPECT_GT(status.notes_lost, 70'000U);
  EXPECT_GT(status.dropped, 100'000U);
  EXPECT_EQ(status.packets + status.dropped, 101'000U) << "nothing is lost without being counted";
  ASSERT_TRUE(status.failure);
  EXPECT_THAT(status.failure->what(), HasSubstr("capture for nobody: is not read"));
}

TEST_F(LongRecorderTest, AReaderThatIsSlowHasAllThatWasNotDropped) {
  const auto pipe = dir_ / "pipe", copy = dir_ / "copy.pcapng";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  UniqueFd reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  UniqueFd out(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  auto recorder = std::make_unique<PacketRecorder>(std::make_unique<PacketRing>("port"),
                                                   std::make_unique<PcapngWriter>(std::move(out), "capture for somebody slow", "test"));
  send(100'000);  // more than anybody keeps, before a byte of it is read
  ASSERT_EQ(::fcntl(reader.get(), F_SETFL, 0), 0);
  std::thread slow([&] {
    std::ofstream into(copy, std::ios::binary);
    std::vector<char> bytes(65536);
    for (ssize_t n = 0; (n = ::read(reader.get(), bytes.data(), bytes.size())) > 0;) into.write(bytes.data(), n);
  });
  recorder->sync(Deadline::in(30s));
  const auto status = recorder->stop();
  recorder.reset();
  slow.join();
  EXPECT_GT(status.dropped, 10'000U);
  EXPECT_EQ(status.packets + status.dropped, 100'000U);
  EXPECT_FALSE(status.failure);
  const auto found = numbered_frames({copy});
  EXPECT_EQ(found.numbers.size(), status.packets);
  ASSERT_TRUE(found.counts.at(0));
  EXPECT_EQ(found.counts[0]->dropped, status.dropped);
}

}  // namespace
}  // namespace hilcop
