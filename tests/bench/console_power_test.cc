// SPDX-License-Identifier: Apache-2.0
// What a DUT's consoles make of its power: lines that are held, adapters that go with it, and what a boot's log says of both.
#include <sys/socket.h>

#include <gmock/gmock.h>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "io/socket_stream.h"
#include "tests/keeper/keeper_fixture.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// The far ends of the lines, by instrument.
struct Far {
  std::mutex mutex;
  std::map<std::string, UniqueFd> device;
  std::map<std::string, bool> low;
  LineCounters counters;
  bool gone = false;
};
Far& far() {
  static Far ends;
  return ends;
}

class FarLine final : public ByteStream {
 public:
  FarLine(const InstrumentConfig& config, UniqueFd ours)
      : unit_(config.name), holds_(config.config.at("holds")), inner_(make_socket_stream(std::move(ours), unit_)) {}
  const std::string& name() const override { return inner_->name(); }
  int fd() const override { return inner_->fd(); }
  std::size_t read_some(std::span<std::byte> into) override { return inner_->read_some(into); }
  std::size_t write_some(std::span<const std::byte> bytes) override { return inner_->write_some(bytes); }
  void check_present() override {}
  void set_line(ModemLine, bool) override {}
  void send_break(std::chrono::milliseconds) override {}
  void hold_break(bool held) override {
    if (!holds_) return ByteStream::hold_break(held);
    const std::scoped_lock lock(far().mutex);
    far().low[unit_] = held;
  }
  std::optional<LineCounters> line_counters() override {
    const std::scoped_lock lock(far().mutex);
    return far().counters;
  }

 private:
  std::string unit_;
  bool holds_;
  std::unique_ptr<ByteStream> inner_;
};

const Driver& far_line_driver() {
  static const Driver driver{.name = "far-line",
                             .summary = "",
                             .keys = {},
                             .identity = [](const InstrumentConfig& config) { return "far:" + config.name; },
                             .open_console = [](const InstrumentConfig& config, Deadline) -> std::unique_ptr<ByteStream> {
                               const std::scoped_lock lock(far().mutex);
                               if (far().gone) throw Error(ErrorKind::NotFound, config.name, "is not there", "plug it in");
                               int ends[2];
                               if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
                                 throw error_from_errno(errno, config.name, "make a socket");
                               far().device[config.name].reset(ends[1]);
                               return std::make_unique<FarLine>(config, UniqueFd(ends[0]));
                             }};
  return driver;
}

class ConsolePowerTest : public KeeperTest {
 protected:
  void TearDown() override {
    bench_.reset();
    const std::scoped_lock lock(far().mutex);
    far().device.clear(), far().low.clear(), far().counters = {}, far().gone = false;
    KeeperTest::TearDown();
  }
  DriverTable drivers() const override {
    static const Driver* const table[] = {&file_relay_driver(), &far_line_driver()};
    return table;
  }
  // A DUT "d" whose console "main" cannot hold TX low, and "second" can.
  BenchConfig config() const {
    BenchConfig config;
    config.name = "c" + dir_.path().filename().string();
    config.instruments["relay"] = {"relay", "file-relay", {{"dir", dir_.path().string()}, {"slow_ms", 0}}};
    config.instruments["stiff"] = {"stiff", "far-line", {{"holds", false}}};
    config.instruments["able"] = {"able", "far-line", {{"holds", true}}};
    auto& dut = config.duts["d"];
    dut.name = "d";
    dut.power = PowerConfig{};
    dut.power->poles = {{{"relay", "1"}, false}};
    dut.power->safe_state = SafeState::Keep;
    dut.consoles = {{"main", {"stiff", "console"}}, {"second", {"able", "console"}}};
    return config;
  }
  Dut& open(const BenchConfig& config) {
    connect();
    OpenOptions options;
    options.keeper.socket = dir_ / "keeper.sock";
    options.keeper.start_on_demand = false;
    bench_ = Bench::open(config, options, drivers(), sink_);
    return bench_->dut("d");
  }
  static void adapter(bool there) {
    const std::scoped_lock lock(far().mutex);
    far().gone = !there;
    if (!there) far().device["stiff"].reset();
  }
  static bool soon_true(const std::function<bool()>& reached) {
    for (const Deadline deadline = soon(); !reached() && !deadline.expired();) wait_until(deadline.at_most(2ms));
    return reached();
  }

  MemorySink sink_;
  std::unique_ptr<Bench> bench_;
};

TEST_F(ConsolePowerTest, ALineThatCannotBeHeldHidesNeitherTheEdgeNorTheOtherConsoles) {
  auto wanted = config();
  const LinesWhileOff low{.tx_low = true, .dtr = {}, .rts = {}};
  wanted.duts.at("d").lines_while_off = {{"main", low}, {"second", low}};
  auto& dut = open(wanted);
  EXPECT_THAT(error_of([&] { dut.power().off(json::object(), soon()); }).what(), HasSubstr("cannot hold TX low"));
  EXPECT_TRUE(far().low["able"]);
  const auto edges = sink_.events("power.edge");
  ASSERT_EQ(edges.size(), 1u);
  EXPECT_EQ(edges[0].data.at("on"), false);
  EXPECT_EQ(edges[0].data.at("verified_by"), "read-back");
}

TEST_F(ConsolePowerTest, AnAdapterThatComesWithThePowerMayBeMissingWhenTheBenchIsOpened) {
  adapter(false);
  auto wanted = config();
  wanted.duts.at("d").power->safe_state = SafeState::Off;
  EXPECT_EQ(error_of([&] { open(wanted); }).kind(), ErrorKind::NotFound) << "nobody said that it may";
  wanted.duts.at("d").consoles_of_power = {"main"};
  wanted.duts.at("d").consoles.erase("second");
  auto& dut = open(wanted);
  auto& console = dut.console();
  ASSERT_TRUE(soon_true([&] { return !console.gaps_since(0).empty(); }));
  EXPECT_EQ(console.gaps_since(0).front().cause, "powered_off");
  dut.power().on(soon());
  adapter(true);
  ASSERT_TRUE(soon_true([&] {
    const std::scoped_lock lock(far().mutex);
    return bool(far().device["stiff"]);
  }));
  ASSERT_EQ(::write(far().device["stiff"].get(), "hello\n", 6), 6);
  const std::array patterns{Pattern::literal("hello")};
  EXPECT_NO_THROW(console.expect(patterns, soon()));
  for (const auto& gap : console.gaps_since(0)) EXPECT_THAT(gap.cause, testing::AnyOf("powered_off", "deaf")) << gap.detail;
  EXPECT_EQ(console.gaps_since(0).back().cause, "deaf") << "from the power to the adapter nothing was heard";
}

TEST_F(ConsolePowerTest, ABootIsDoubtfulForWhatItsOwnAdapterWasTooLateFor) {
  auto& dut = open(config());
  dut.power().off(json::object(), soon());
  adapter(false);
  ASSERT_TRUE(soon_true([&] { return !dut.console().gaps_since(0).empty(); }));
  const auto on = dut.power().on(soon());
  EXPECT_THAT(dut.boot_log().doubt(), HasSubstr("lost: it has not come back with the power"));
  adapter(true);
  ASSERT_TRUE(soon_true([&] { return dut.console().connected_since(real_clock().now()); }));
  EXPECT_THAT(dut.boot_log().doubt(), HasSubstr("a gap (deaf: for "));
  const auto gaps = dut.console().gaps_since(0);
  ASSERT_EQ(gaps.size(), 3u);
  EXPECT_EQ(gaps[1].cause, "powered_off");
  EXPECT_EQ(gaps[2].begin, on.result.commanded);
}

TEST_F(ConsolePowerTest, ALossBelongsToTheBootInWhichItWas) {
  auto& dut = open(config());
  dut.power().on(soon());
  {
    const std::scoped_lock lock(far().mutex);
    far().counters.overrun = 1;
  }
  EXPECT_THAT(dut.boot_log().doubt(), HasSubstr("overrun")) << "at once";
  dut.power().off(json::object(), soon());
  dut.power().on(soon());
  EXPECT_THAT(dut.boot_log().doubt(), testing::Not(HasSubstr("overrun")));
}

}  // namespace
}  // namespace hilcop
