// SPDX-License-Identifier: Apache-2.0
// The whole way down on a real board: bench, keeper process, QEMU machine, console, power loss.
#include <signal.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "bench/lease_lock.h"
#include "fakes/memory_sink.h"
#include "fakes/places.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

class VirtualBoard : public testing::Test {
 protected:
  std::unique_ptr<Bench> open(const std::string& dut = "board1") {
    OpenOptions options;
    options.duts = {dut};
    options.record_dir = dir_ / "console";
    options.holder = "test";
    options.keeper.program = build_dir() / "bin/hilcop";
    return Bench::open(load_bench_config(source_dir() / "lab-config/virtual.yaml", source_dir() / "boards", all_drivers()), options,
                       all_drivers(), sink_);
  }
  static Deadline soon() { return Deadline::in(60s); }

  // Sets writeback so that dirty pages reach the disk in a second, without any flush.
  static void boot(Dut& dut) {
    dut.power().on(soon());
    const auto result = dut.boot_to("", soon());
    ASSERT_TRUE(result.complete) << result.missing;
    dut.console().login(soon());
  }

  std::uint64_t lost(const PowerEdge& edge) { return edge.result.details.at("disks").at(0).at("lost_sectors").get<std::uint64_t>(); }

  TempDir dir_{true};
  MemorySink sink_;
};

TEST_F(VirtualBoard, BootsAnswersAndIsCut) {
  auto bench = open();
  auto& dut = bench->dut("board1");
  EXPECT_EQ(dut.power().state(soon()), false);
  boot(dut);
  const auto stages = dut.boot_so_far();
  ASSERT_EQ(stages.stages.size(), 4u);
  RecordProperty("ready_ms", static_cast<int>(stages.stages.back().since_power_on.count() / 1'000'000));
  EXPECT_EQ(dut.console().run("uname -m", soon()).output, "aarch64\n");
  const auto edge = dut.power().off(nlohmann::json::object(), soon());
  EXPECT_EQ(edge.verified_by, "read-back, console-silence");
  EXPECT_EQ(dut.power().state(soon()), false);
  bench->close();
  EXPECT_EQ(sink_.events("boot.stage").size(), 4u);
  EXPECT_EQ(sink_.events("power.edge").size(), 2u);
}

TEST_F(VirtualBoard, ACutLosesWhatWasNotFlushedAndKeepsWhatWas) {
  auto bench = open();
  auto& dut = bench->dut("board1");
  boot(dut);
  auto& console = dut.console();
  // Beyond the file system: sectors of the data partition's last 4 MiB.
  EXPECT_EQ(console.run("store put kept durable", soon()).output, "stored kept\n");
  console.run("dd if=/dev/zero bs=4096 count=64 2>/dev/null | tr '\\000' D | dd of=/dev/vda1 bs=4096 seek=11000 oflag=direct 2>/dev/null",
              soon());
  console.run(
      "echo 50 >/proc/sys/vm/dirty_writeback_centisecs; echo 50 >/proc/sys/vm/dirty_expire_centisecs; "
      "dd if=/dev/zero bs=4096 count=64 2>/dev/null | tr '\\000' P | dd of=/dev/vda1 bs=4096 seek=11500 2>/dev/null; sleep 3",
      soon());
  EXPECT_EQ(console.run("dd if=/dev/vda1 bs=4096 skip=11000 count=1 2>/dev/null | head -c 3", soon()).output, "DDD");
  const auto before = dut.power().report(soon()).at("disks").at("main").at("unflushed_sectors").get<int>();
  EXPECT_GE(before, 512) << "the page cache did not reach the disk: this would prove nothing";
  const auto edge = dut.power().off({{"loss", "drop"}}, soon());
  EXPECT_GE(lost(edge), 1024u);
  boot(dut);
  EXPECT_EQ(console.run("store get kept", soon()).output, "durable\n");
  EXPECT_EQ(
      console
          .run("for at in 11000 11500; do dd if=/dev/vda1 bs=4096 skip=$at count=1 2>/dev/null | tr -d '\\000' | head -c 3; done", soon())
          .output,
      "");
}

TEST_F(VirtualBoard, ACutAtTheKthWriteRepeatsExactly) {
  std::vector<std::uint64_t> sectors;
  for (int round = 0; round < 2; ++round) {
    auto bench = open();  // a fresh copy of the disk
    auto& dut = bench->dut("board1");
    boot(dut);
    dut.console().run("sync; sleep 1; sync", soon());
    dut.power().arm_cut({{"trigger", "disk-write"}, {"disk", "main"}, {"count", 9}, {"loss", "torn"}, {"seed", 5}}, soon());
    dut.console().write_line("store burst k 50 3000", soon());
    const auto edge = dut.power().wait_cut(soon());
    ASSERT_TRUE(edge);
    const auto& disk = edge->result.details.at("disks").at(0);
    sectors.push_back(disk.at("last_write_sector").get<std::uint64_t>());
    EXPECT_GE(disk.at("torn_bytes").get<int>(), 1);
    EXPECT_EQ(dut.power().state(soon()), false);
  }
  EXPECT_EQ(sectors[0], sectors[1]);
}

TEST_F(VirtualBoard, TheConsoleOutlivesThePowerAndWhatIsTypedMeanwhileIsLost) {
  auto bench = open();
  auto& dut = bench->dut("board1");
  boot(dut);
  dut.power().off(nlohmann::json::object(), soon());
  dut.console().write("typed-at-a-dead-board\n", soon());
  const auto offset = dut.console().offset();
  dut.power().on(soon());
  ASSERT_TRUE(dut.boot_to("", soon()).complete);
  EXPECT_EQ(dut.console().bytes({offset, dut.console().offset()}).find("typed-at-a-dead-board"), std::string::npos);
}

TEST_F(VirtualBoard, ResetButtonAndLedAreReal) {
  auto bench = open();
  auto& dut = bench->dut("board1");
  EXPECT_FALSE(dut.input("led").get(soon()));
  boot(dut);
  EXPECT_TRUE(dut.input("led").wait_for(true, 50ms, soon()));
  EXPECT_EQ(dut.console().run("button", soon()).output, "0\n");
  dut.button("user").press(soon());
  EXPECT_EQ(dut.console().run("button", soon()).output, "1\n");
  dut.button("user").release(soon());
  EXPECT_EQ(dut.console().run("button", soon()).output, "0\n");
  dut.reset(100ms, soon());
  EXPECT_TRUE(dut.boot_to("", soon()).complete);
}

TEST_F(VirtualBoard, AMachineThatDiesByItselfIsToldAndNotWaitedFor) {
  auto bench = open();
  auto& dut = bench->dut("board1");
  boot(dut);
  pid_t qemu = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream command(entry.path() / "cmdline");
    const std::string text{std::istreambuf_iterator<char>(command), std::istreambuf_iterator<char>()};
    std::ifstream parent(entry.path() / "environ");
    const std::string environment{std::istreambuf_iterator<char>(parent), std::istreambuf_iterator<char>()};
    if (text.find("qemu-system-aarch64") != std::string::npos && environment.find(dir_.path().string()) != std::string::npos)
      qemu = std::stoi(entry.path().filename().string());
  }
  ASSERT_GT(qemu, 0);
  ::kill(qemu, SIGKILL);
  const std::array never{Pattern::literal("never")};
  try {
    dut.console().expect(never, soon());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Disconnected) << error.what();
    EXPECT_NE(std::string(error.what()).find("QEMU ended by itself"), std::string::npos) << error.what();
  }
  EXPECT_EQ(dut.power().state(soon()), false);
}

TEST_F(VirtualBoard, ADutIsLeasedOnceAndTheHolderIsNamed) {
  auto first = open();
  try {
    open();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Busy);
    EXPECT_NE(std::string(error.what()).find("this very process"), std::string::npos);
  }
  auto second = open("board2");
  EXPECT_EQ(second->dut_names(), std::vector<std::string>{"board2"});
}

}  // namespace
}  // namespace hilcop
