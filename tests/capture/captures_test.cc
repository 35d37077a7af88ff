// SPDX-License-Identifier: Apache-2.0
// Several captures of one thing, begun and stopped by several threads at once.
#include "capture/captures.h"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "capture/capture_reader.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

/// Five packets, of which one lacks bytes, then nothing.
class FewPackets final : public PacketSource {
 public:
  const std::string& name() const override { return name_; }
  LinkType link_type() const override { return LinkType::UsbLinux; }
  int fd() const override { return fd_.get(); }
  bool take_block(const Take& take) override {
    if (fetched_ == kAll) return false;
    for (; fetched_ < kAll; ++fetched_) take(bytes_, fetched_ == 3 ? 1000 : 64, UtcTime(1s));
    return true;
  }
  Counts counts() override { return {kAll, 0}; }
  std::uint64_t fetched() const override { return fetched_; }
  int take_error() override { return 0; }
  static constexpr std::uint64_t kAll = 5;

 private:
  std::string name_ = "few";
  UniqueFd fd_{::eventfd(0, EFD_CLOEXEC)};
  std::array<std::byte, 64> bytes_{};
  std::uint64_t fetched_ = 0;
};

class CapturesTest : public testing::Test {
 protected:
  void start(const std::string& name, const std::string& file) {
    captures_.start(name, dir_ / file, {}, "a test", [] { return std::make_unique<FewPackets>(); });
  }
  TempDir dir_;
  Captures captures_{"USB of dut 'a'"};
};

TEST_F(CapturesTest, APacketThatIsNotWholeIsCounted) {
  start("one", "a.pcapng");
  const auto status = captures_.sync("one", Deadline::in(10s));
  EXPECT_EQ(status.packets, 5u);
  EXPECT_EQ(status.snapped, 1u);
  EXPECT_EQ(status.dropped, 0u);
}

TEST_F(CapturesTest, TwoThatStopOneAtOnceHaveItsFiguresAndItsNameIsFree) {
  for (int round = 0; round < 50; ++round) {
    start("one", std::to_string(round) + ".pcapng");
    std::latch together(2);
    std::atomic<int> stopped = 0, gone = 0;
    const auto stop = [&] {
      together.arrive_and_wait();
      try {
        if (captures_.stop("one").packets == FewPackets::kAll) ++stopped;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::NotFound) ++gone;
      }
    };
    { const std::jthread one(stop), other(stop); }
    EXPECT_GE(stopped, 1);
    EXPECT_EQ(stopped + gone, 2);
  }
}

TEST_F(CapturesTest, WhenItIsClosedWhatItHasIsWholeAndNoneIsStarted) {
  start("one", "a.pcapng");
  captures_.close();
  EXPECT_EQ(error_of([&] { start("two", "b.pcapng"); }).kind(), ErrorKind::Disconnected);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "b.pcapng"));
  EXPECT_EQ(captures_.stop("one").packets, FewPackets::kAll) << "its figures are still to be had";
  CaptureReader reader(dir_ / "a.pcapng");
  int packets = 0;
  while (reader.next()) ++packets;
  EXPECT_EQ(packets, 5);
  ASSERT_TRUE(reader.counts().at(0)) << "its counts stand at its end";
}

}  // namespace
}  // namespace hilcop
