// SPDX-License-Identifier: Apache-2.0
// A card behind a mux: the mux is an output that the keeper holds, the card a disk that shows itself only while the host has it.
#include "bench/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/bench.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "keeper/keeper_fixture.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

class Card final : public BlockDevice {
 public:
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return 4096; }
  std::size_t block_size() const override { return 512; }
  void write_at(std::uint64_t, std::span<const std::byte>) override {}
  void read_at(std::uint64_t, std::span<std::byte>) override {}
  void sync() override {}

 private:
  std::string name_ = "card";
};

// The reader has a card while the relay is where `host` says.
const Driver& reader_driver() {
  static const Driver driver{.name = "reader",
                             .summary = "",
                             .keys = {},
                             .identity = [](const InstrumentConfig&) { return std::string("reader"); },
                             .open_storage = [](const InstrumentConfig& config, Deadline) -> std::unique_ptr<BlockDevice> {
                               const bool on = FileRelay::is_on(config.config.at("dir").get<std::string>(), "2");
                               if (on != config.config.at("host").get<bool>()) throw Error(ErrorKind::NotFound, "reader", "has no medium");
                               return std::make_unique<Card>();
                             }};
  return driver;
}

class StorageRoleTest : public KeeperTest {
 protected:
  std::unique_ptr<Bench> open(bool host_is_on = true, bool with_mux = true) {
    connect();  // the keeper is there
    BenchConfig config;
    config.name = "b";
    config.instruments["relay"] = {"relay", "file-relay", {{"dir", dir_.path().string()}}};
    config.instruments["card"] = {"card", "reader", {{"dir", dir_.path().string()}, {"host", host_is_on}}};
    DutConfig dut;
    dut.name = "d";
    StorageConfig storage{"card", 300ms, {}};
    if (with_mux) storage.mux = OutputConfig{{"relay", "2"}, !host_is_on, SafeState::Off};
    dut.storage["main"] = storage;
    config.duts["d"] = dut;
    OpenOptions options;
    options.keeper.socket = dir_ / "keeper.sock";
    options.keeper.start_on_demand = false;
    static const Driver* const table[] = {&file_relay_driver(), &reader_driver()};
    return Bench::open(config, options, table, sink_);
  }
  bool becomes(bool on) const {
    for (const Deadline deadline = Deadline::in(10s); is_on("2") != on; wait_until(deadline.at_most(2ms)))
      if (deadline.expired()) return false;
    return true;
  }

  MemorySink sink_;
};

TEST_F(StorageRoleTest, TheHostHasTheCardWhileItIsAttached) {
  const auto bench = open();
  auto& storage = bench->dut("d").storage();
  const auto card = storage.attach(soon());
  EXPECT_TRUE(is_on("2"));
  storage.detach(soon());
  EXPECT_FALSE(is_on("2"));
  ASSERT_EQ(sink_.events("output.set").size(), 2u);
  EXPECT_EQ(sink_.events("output.set").at(0).source, "d/main-mux");
}

TEST_F(StorageRoleTest, AMuxThatGivesTheHostTheCardWhenItIsOffRestsOn) {
  const auto bench = open(false);
  auto& storage = bench->dut("d").storage();
  const auto card = storage.attach(soon());
  EXPECT_FALSE(is_on("2"));
  storage.detach(soon());
  EXPECT_TRUE(is_on("2"));
}

TEST_F(StorageRoleTest, ClosingGivesTheCardBack) {
  const auto bench = open();
  const auto card = bench->dut("d").storage().attach(soon());
  EXPECT_TRUE(is_on("2"));
  bench->close();
  EXPECT_TRUE(becomes(false));
}

TEST_F(StorageRoleTest, WhoeverDiesWithTheCardTheDutGetsItBack) {
  const pid_t child = in_process([this] {
    const auto bench = open();
    const auto card = bench->dut("d").storage().attach(soon());
    ::pause();
  });
  ASSERT_TRUE(becomes(true));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(becomes(false));
}

TEST_F(StorageRoleTest, ACardThatDoesNotShowItselfIsGivenUpInTime) {
  const auto bench = open(true, false);  // nobody switches the mux
  const auto began = real_clock().now();
  const auto error = error_of([&] { bench->dut("d").storage().attach(soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.what(), HasSubstr("while opening storage d/main"));
  EXPECT_GE(real_clock().now() - began, 300ms);
  EXPECT_LT(real_clock().now() - began, 5s);
}

TEST_F(StorageRoleTest, AStorageIsForOneBenchAlone) {
  // First: a process is not forked off beside a bench's threads.
  const pid_t other = in_process([this] {
    try {
      wait_for_file("taken");
      open();
    } catch (const Error& error) {
      ::_exit(error.kind() == ErrorKind::Busy ? 7 : 8);
    }
  });
  const auto bench = open();
  std::ofstream(dir_ / "taken") << "x";
  int status = 0;
  ::waitpid(other, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_THAT(error_of([&] { bench->dut("d").storage("other"); }).what(), HasSubstr("has no storage 'other'"));
}

}  // namespace
}  // namespace hilcop
