// SPDX-License-Identifier: Apache-2.0
// Clocks, disks, loopbacks and USB: each finds the fault that is planted for it.
#include <sys/socket.h>

#include <gmock/gmock.h>

#include "fakes/device_files.h"
#include "fakes/fake_clock.h"
#include "planted_bench.h"
#include "selftest/host_checks.h"
#include "selftest/loopback.h"
#include "selftest/usb_bandwidth.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

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

TEST(ClockCheck, AClockThatNothingKeepsRightIsFound) {
  const auto ntp = [](int said, int status) {
    const ClockCheck check(real_clock(), [=](timex* state) {
      state->status = status, state->maxerror = 12'000, errno = EPERM;
      return said;
    });
    return check.items().at(2);
  };
  EXPECT_EQ(ntp(TIME_OK, 0).grade, SelftestGrade::Pass);
  EXPECT_THAT(ntp(TIME_OK, 0).text, HasSubstr("to within 12 ms"));
  for (const auto& item : {ntp(TIME_ERROR, 0), ntp(TIME_OK, STA_UNSYNC)}) {
    EXPECT_EQ(item.grade, SelftestGrade::Warning);
    EXPECT_THAT(item.text, HasSubstr("run an NTP client"));
  }
  EXPECT_EQ(ntp(-1, 0).grade, SelftestGrade::NotProved);
  EXPECT_THAT(ntp(-1, 0).text, HasSubstr("does not tell"));
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
