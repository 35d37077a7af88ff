// SPDX-License-Identifier: Apache-2.0
// Each item finds the fault that is planted for it, and a sound bench has none.
#include "selftest/selftest.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <csignal>

#include <gmock/gmock.h>

#include "fakes/device_files.h"
#include "fakes/error_of.h"
#include "fakes/fake_clock.h"
#include "fakes/scripted_stream.h"
#include "planted_bench.h"
#include "selftest/host_checks.h"
#include "selftest/loopback.h"
#include "selftest/usb_bandwidth.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SelftestOfBench : public PlantedBench {
 protected:
  void SetUp() override {
    PlantedBench::SetUp();
    // Stages say how long a DUT may take to speak: here, not long.
    write_config("", kQuickBoard);
  }
  std::vector<SelftestItem> test(std::vector<std::string> duts = {}) {
    SelftestOptions options;
    options.duts = std::move(duts);
    options.out = dir_ / ("out" + std::to_string(++number_));
    std::filesystem::create_directories(options.out);
    options.least_free = 1;
    options.keeper = keeper();
    options.devices = devices_.tree();
    return selftest(config(), options, table());
  }
  // What failed, as "item of dut: text".
  static std::vector<std::string> failures(const std::vector<SelftestItem>& items) {
    std::vector<std::string> found;
    for (const auto& item : items)
      if (item.grade == SelftestGrade::Fail) found.push_back(item.item + " of " + item.dut + ": " + item.text);
    return found;
  }
  static std::string grade(const std::vector<SelftestItem>& items, const std::string& what, const std::string& dut) {
    for (const auto& item : items)
      if (item.item == what && item.dut == dut) return to_string(item.grade) + (item.text.empty() ? "" : ": " + item.text);
    return "absent";
  }

  static constexpr const char* kQuickBoard = "board: plain\nboot_stages: [{ name: up, pattern: x, deadline_s: 0.3 }]\n";
  DeviceFiles devices_;
  int number_ = 0;
};

TEST_F(SelftestOfBench, ASoundBenchPasses) {
  const auto items = test();
  EXPECT_THAT(failures(items), IsEmpty());
  for (const std::string dut : {"a", "b"}) {
    EXPECT_THAT(grade(items, "power", dut), HasSubstr("pass: comes and goes, shown by console main"));
    EXPECT_THAT(grade(items, "wiring", dut), HasSubstr("pass: only its own console"));
    EXPECT_THAT(grade(items, "read-back", dut), HasSubstr("pass"));
    EXPECT_THAT(grade(items, "capture", dut), HasSubstr("bytes recorded as they came"));
    EXPECT_THAT(grade(items, "answers", dut), HasSubstr("not proved"));  // the board declares no shell
  }
  EXPECT_FALSE(a_->powered() || b_->powered());
}

TEST_F(SelftestOfBench, ADeadRelayIsFound) {
  a_->contact_ = -1;
  const auto items = test();
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail: was switched on and nothing of this DUT reacted"));
  EXPECT_THAT(grade(items, "speaks with power", "a"), HasSubstr("fail: stays silent"));
  EXPECT_THAT(grade(items, "power", "b"), HasSubstr("pass"));
}

TEST_F(SelftestOfBench, TwoDutsWhosePowerIsSwappedAreFound) {
  a_->contact_ = 1, b_->contact_ = 0;
  const auto items = test();
  EXPECT_THAT(grade(items, "wiring", "a"), HasSubstr("fail: its power makes console main of 'b' speak and its own silent"));
  EXPECT_THAT(grade(items, "wiring", "b"), HasSubstr("fail: its power makes console main of 'a' speak and its own silent"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail"));
}

TEST_F(SelftestOfBench, AConsoleThatIsWiredToTheOtherDutIsFound) {
  const auto text = [&] {
    std::ifstream file(dir_ / "bench.yaml");
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  auto swapped = text;
  swapped.replace(swapped.find("socket: a.sock"), 14, "socket: b.tmp");
  swapped.replace(swapped.find("socket: b.sock"), 14, "socket: a.sock");
  swapped.replace(swapped.find("socket: b.tmp"), 13, "socket: b.sock");
  std::ofstream(dir_ / "bench.yaml") << swapped;
  const auto items = test();
  EXPECT_THAT(grade(items, "wiring", "a"), HasSubstr("swapped"));
  EXPECT_THAT(grade(items, "wiring", "b"), HasSubstr("swapped"));
}

TEST_F(SelftestOfBench, ADutThatHangsOnTheOthersOutputTooIsFound) {
  b_->contact_ = 0;
  const auto items = test();
  EXPECT_THAT(grade(items, "wiring", "a"),
              HasSubstr("fail: its power makes console main of 'b' speak: that DUT hangs on this output, too"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("fail"));
  EXPECT_THAT(grade(items, "power", "b"), HasSubstr("fail"));
}

TEST_F(SelftestOfBench, AStuckOutputIsFoundBySpeechOrByAnAnswer) {
  a_->stuck_ = true;
  auto items = test({"a"});
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("fail: speaks although the power is off"));
  EXPECT_THAT(grade(items, "power", "a"), testing::Not(HasSubstr("pass")));
  a_->manner_ = PlantedDevice::Manner::Echoes;
  items = test({"a"});
  EXPECT_THAT(grade(items, "silent without power", "a"), HasSubstr("fail: answers although the power is off"));
}

TEST_F(SelftestOfBench, AContactThatReadsBackOnAfterOffIsFound) {
  contacts()->all[0].lies = true;
  const auto items = test({"a"});
  EXPECT_THAT(failures(items), testing::Contains(HasSubstr("instruments of a")));
  EXPECT_THAT(failures(items), testing::Contains(HasSubstr("was switched off but reads back")));
}

TEST_F(SelftestOfBench, WithoutReadBackThatIsNotProved) {
  contacts()->all[0].reads_back = false;
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "read-back", "a"), HasSubstr("not proved: the instrument cannot tell"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("pass"));
}

TEST_F(SelftestOfBench, ASilentConsoleIsFound) {
  b_->manner_ = PlantedDevice::Manner::Mute;
  const auto items = test({"b"});
  EXPECT_THAT(grade(items, "speaks with power", "b"), HasSubstr("fail: stays silent"));
}

TEST_F(SelftestOfBench, AConsoleThatCannotBeOpenedIsFoundAndTheOthersAreTested) {
  b_.reset();
  const auto items = test();
  EXPECT_THAT(grade(items, "instruments", "b"), HasSubstr("fail"));
  EXPECT_THAT(grade(items, "power", "a"), HasSubstr("pass"));
}

TEST_F(SelftestOfBench, SomebodyElsesDutIsNotTested) {
  auto bench = open(events_);
  EXPECT_EQ(error_of([&] { test(); }).kind(), ErrorKind::Busy);
}

TEST_F(SelftestOfBench, AFullDiskIsFoundByTheRecording) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 600;  // the timeline and the recordings outgrow that
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto items = test({"a"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(failures(items), testing::Contains(HasSubstr("capture")));
}

TEST_F(SelftestOfBench, AWornContactIsAWarning) {
  std::ifstream file(dir_ / "bench.yaml");
  std::string text(std::istreambuf_iterator<char>(file), {});
  text.replace(text.find("channel: '0'"), 12, "channel: '0', rated_switches: 1");
  std::ofstream(dir_ / "bench.yaml") << text;
  test({"a"});
  const auto items = test({"a"});
  EXPECT_THAT(grade(items, "wear", "a"), HasSubstr("times of 1: have it replaced"));
}

TEST_F(SelftestOfBench, ALoopbackIsTestedThroughItsDriver) {
  write_config("", kQuickBoard);
  std::ofstream(dir_ / "bench.yaml", std::ios::app) << "loopbacks: { spare: { instrument: line-c, channel: console } }\n";
  std::ifstream file(dir_ / "bench.yaml");
  std::string text(std::istreambuf_iterator<char>(file), {});
  text.insert(text.find("duts:"), "  line-c: { driver: planted-console, socket: c.sock }\n");
  std::ofstream(dir_ / "bench.yaml") << text;
  PlantedDevice plug(dir_ / "c.sock", 0);
  plug.stuck_ = true, plug.manner_ = PlantedDevice::Manner::Echoes;
  EXPECT_THAT(grade(test({"a"}), "loopback", ""), HasSubstr("pass: 512 bytes of every value"));
  plug.manner_ = PlantedDevice::Manner::Mute;
  EXPECT_THAT(failures(test({"a"})), testing::Contains(HasSubstr("none came back")));
}

TEST_F(SelftestOfBench, AFailedOneRefusesItsDutUntilOnePasses) {
  const auto bench = config();
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "none");
  EXPECT_EQ(selftest_state(bench, "a").at("refuses"), false);
  save_selftest(bench, {"a", "b"}, {{"power", "a", "", SelftestGrade::Fail, "dead"}, {"clock", "", "", SelftestGrade::Pass, ""}}, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "failed");
  EXPECT_EQ(selftest_state(bench, "a").at("refuses"), true);
  EXPECT_THAT(selftest_state(bench, "a").at("text").get<std::string>(), HasSubstr("power: dead"));
  EXPECT_EQ(selftest_state(bench, "b").at("state"), "passed");
  auto changed = bench;
  changed.sha256 = "other";
  EXPECT_EQ(selftest_state(changed, "a").at("state"), "failed");
  EXPECT_EQ(selftest_state(changed, "b").at("state"), "outdated");
  EXPECT_EQ(selftest_state(changed, "b").at("refuses"), false);
  changed.selftest_required = true;
  EXPECT_EQ(selftest_state(changed, "b").at("refuses"), true);
  auto strict = bench;
  strict.selftest_required = true;
  EXPECT_EQ(selftest_state(strict, "b").at("refuses"), false);
  strict.selftest_max_age = -1h;
  EXPECT_EQ(selftest_state(strict, "b").at("state"), "outdated");
  save_selftest(bench, {"a"}, {{"power", "a", "", SelftestGrade::Pass, ""}}, "out");
  EXPECT_EQ(selftest_state(bench, "a").at("state"), "passed");
  save_selftest(bench, {"a", "b"}, {{"clock", "", "", SelftestGrade::Fail, "jumped"}}, "out");
  EXPECT_EQ(selftest_state(bench, "b").at("state"), "failed");
  for (const auto& file : std::filesystem::directory_iterator(dir_ / "state/selftest")) std::filesystem::resize_file(file, 20);
  EXPECT_EQ(selftest_state(bench, "a").at("refuses"), true) << "a torn record may have been one that failed";
}

// Steady and UTC go their own ways.
class JumpingClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime(steady); }
  UtcTime utc_now() const override { return UtcTime(Nanoseconds(1'800'000'000'000'000'000) + utc); }
  void sleep_until(SteadyTime) override {}
  Nanoseconds steady{}, utc{};
};

TEST(ClockCheck, AJumpIsFoundAndASlewIsNot) {
  for (const auto& [steady, utc, passes] : std::vector<std::tuple<Nanoseconds, Nanoseconds, bool>>{
           {10s, 10s, true}, {10s, 10'040ms, true}, {10s, 12s, false}, {10s, 9s, false}, {-1s, -1s, false}, {1000s, 1000'500ms, true}}) {
    JumpingClock clock;
    const ClockCheck check(clock);
    clock.steady = steady, clock.utc = utc;
    EXPECT_EQ(check.items().at(0).grade == SelftestGrade::Pass, passes) << check.items().at(0).text;
  }
}

TEST(ClockCheck, ADateThatCannotBeIsFound) {
  FakeClock clock;  // of 2023
  EXPECT_EQ(ClockCheck(clock).items().at(1).grade, SelftestGrade::Fail);
}

TEST(DiskCheck, TooLittleRoomIsFound) {
  const TempDir dir;
  EXPECT_EQ(check_disk("runs", dir.path(), 1).grade, SelftestGrade::Pass);
  EXPECT_EQ(check_disk("runs", dir / "not/there/yet", 1).grade, SelftestGrade::Pass);
  const auto full = check_disk("runs", dir.path(), 1ull << 60);
  EXPECT_EQ(full.grade, SelftestGrade::Fail);
  EXPECT_THAT(full.text, HasSubstr("free some"));
}

// A plug that loses, changes or adds bytes, or is not there.
class Plug final : public ByteStream {
 public:
  enum class Fault { None, Absent, Loses, Changes, Adds };
  explicit Plug(Fault fault) : fault_(fault) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    near_ = make_socket_stream(UniqueFd(ends[0]), "plug");
    far_ = make_socket_stream(UniqueFd(ends[1]), "far");
  }
  const std::string& name() const override { return near_->name(); }
  int fd() const override { return near_->fd(); }
  std::size_t read_some(std::span<std::byte> into) override { return near_->read_some(into); }
  std::size_t write_some(std::span<const std::byte> bytes) override {
    const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 7));
    std::vector<std::byte> back(part.begin(), part.end());
    written_ += part.size();
    if (fault_ == Fault::Changes && written_ > 200) back[0] ^= std::byte{0x80};
    if (fault_ == Fault::Loses && written_ > 200 && written_ < 210) back.clear();
    if (fault_ == Fault::Adds && written_ >= 512) back.push_back(std::byte{1});
    if (fault_ != Fault::Absent && !back.empty()) far_->write_some(back);
    return part.size();
  }
  void check_present() override {}
  void set_line(ModemLine, bool) override {}
  void send_break(std::chrono::milliseconds) override {}
  std::optional<LineCounters> line_counters() override { return std::nullopt; }

 private:
  Fault fault_;
  std::size_t written_ = 0;
  std::unique_ptr<ByteStream> near_, far_;
};

TEST(Loopback, WhatComesBackWrongIsFound) {
  using Fault = Plug::Fault;
  for (const auto& [fault, text] : std::vector<std::pair<Fault, std::string>>{{Fault::None, "512 bytes of every value came back"},
                                                                              {Fault::Absent, "none came back"},
                                                                              {Fault::Loses, "came back, the first wrong one"},
                                                                              {Fault::Changes, "came back, the first wrong one"},
                                                                              {Fault::Adds, "something else speaks"}}) {
    Plug plug(fault);
    const auto item = check_loopback("plug", plug, false, 5, Deadline::in(fault == Fault::None ? 5s : 400ms));
    EXPECT_EQ(item.grade == SelftestGrade::Pass, fault == Fault::None) << text;
    EXPECT_THAT(item.text, HasSubstr(text));
  }
}

class UsbBandwidth : public PlantedBench {
 protected:
  // An adapter as FTDI's look, at a place of the bus.
  void adapter(const std::string& place, int address, const std::string& tty, int baud) {
    tree_.usb(place, address, {{"idVendor", "0403"}, {"idProduct", "6001"}, {"speed", "12"}});
    const auto interface = tree_.interface(place, 0, "ffffff", "ftdi_sio");
    std::filesystem::create_directories(interface / tty);
    tree_.tty(tty, interface / tty, "ftdi_sio");
    bench_.instruments[tty] = {tty, "any", {{"baud", baud}, {"port", "/dev/" + tty}}};
  }
  std::vector<SelftestItem> check() {
    static const Driver any{.name = "any", .summary = "", .keys = {}, .identity = [](const InstrumentConfig& config) {
                              return config.config.at("port").get<std::string>();
                            }};
    static const Driver* const all[] = {&any};
    return check_usb_bandwidth(bench_, all, tree_.tree());
  }
  DeviceFiles tree_;
  BenchConfig bench_;
};

TEST_F(UsbBandwidth, AdaptersBehindOneTranslatorAreAddedUp) {
  tree_.usb("usb1", 1, {{"idVendor", "1d6b"}, {"idProduct", "0002"}, {"bDeviceClass", "09"}});
  tree_.usb("1-1", 2, {{"idVendor", "05e3"}, {"idProduct", "0608"}, {"bDeviceClass", "09"}});
  adapter("1-1.1", 3, "ttyUSB0", 3'000'000);
  EXPECT_EQ(check().at(0).grade, SelftestGrade::Pass);
  for (int n = 2; n <= 4; ++n) adapter("1-1." + std::to_string(n), n + 2, "ttyUSB" + std::to_string(n), 3'000'000);
  const auto items = check();
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0].grade, SelftestGrade::Warning) << items[0].text;
  EXPECT_EQ(items[0].object, "USB 1-1");
}

TEST_F(UsbBandwidth, EachPortOfARootHubIsABusOfItsOwn) {
  tree_.usb("usb1", 1, {{"idVendor", "1d6b"}, {"idProduct", "0002"}, {"bDeviceClass", "09"}});
  for (int n = 1; n <= 4; ++n) adapter("1-" + std::to_string(n), n + 2, "ttyUSB" + std::to_string(n), 3'000'000);
  const auto items = check();
  EXPECT_EQ(items.size(), 4u);
  for (const auto& item : items) EXPECT_EQ(item.grade, SelftestGrade::Pass) << item.text;
}

}  // namespace
}  // namespace hilcop
