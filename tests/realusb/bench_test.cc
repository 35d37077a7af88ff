// SPDX-License-Identifier: Apache-2.0
// A bench in the guest: a DUT whose power is a hub's port and whose console is a bus-powered adapter; and what comes and goes on USB.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/bench.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"
#include "io/usb_watch.h"
#include "realusb/guest_host.h"
#include "selftest/calibrate.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

constexpr const char* kBench = R"(bench: guest
instruments:
  hub: { driver: usb-hub, path: "1-1" }
  line: { driver: serial, port: /dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FTDI0001-if00-port0 }
duts:
  talker:
    board: talker.yaml
    power: { instrument: hub, channel: "1", safe_state: keep, verify: { usb_gone_ms: 5000 } }
    consoles: { main: { instrument: line, channel: console } }
    usb: { path: 1-1.1 }
  keys:
    board: keys.yaml
    usb: { serial: KEYS01 }
)";

class RealBenchTest : public testing::Test {
 protected:
  void SetUp() override { open(kBench); }
  void open(const std::string& bench) {
    bench_.reset();
    std::ofstream(dir_ / "bench.yaml") << bench;
    std::ofstream(dir_ / "talker.yaml")
        << "board: talker\nusb: { expected: [{ vid: 0x0403, pid: 0x6001, interfaces: [{ class: vendor-specific }] }] }\n";
    std::ofstream(dir_ / "keys.yaml") << "board: keys\nusb: { forbidden_classes: [hid] }\n";
    OpenOptions options;
    options.record_dir = dir_ / "record";
    std::filesystem::create_directories(options.record_dir);
    bench_ = Bench::open(load_bench_config(dir_ / "bench.yaml", dir_.path(), all_drivers()), options, all_drivers(), sink_);
  }
  std::size_t count(const std::string& kind, const std::string& source) const {
    const auto events = sink_.events(kind);
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const Event& event) { return event.source == source; }));
  }
  TempDir dir_{true};
  MemorySink sink_;
  std::unique_ptr<Bench> bench_;
};

TEST_F(RealBenchTest, PowerOffIsProvedByWhatGoesFromUsbAndTheConsoleIsOpenedAgain) {
  auto& dut = bench_->dut("talker");
  EXPECT_EQ(dut.usb().device().id.serial, "FTDI0001");
  EXPECT_TRUE(dut.usb().unexpected().empty()) << dut.usb().unexpected().front();
  const auto edge = dut.power().off(nlohmann::json::object(), Deadline::in(30s));
  EXPECT_EQ(edge.verified_by, "read-back, usb-disappearance");
  EXPECT_FALSE(dut.usb().present());
  EXPECT_EQ(count("usb.left", "talker/usb"), 1u);
  // What was not there proves nothing by being absent.
  EXPECT_EQ(dut.power().off(nlohmann::json::object(), Deadline::in(30s)).verified_by, "read-back");
  dut.power().on(Deadline::in(30s));
  EXPECT_TRUE(dut.usb().wait_present(Deadline::in(20s)));
  EXPECT_EQ(count("usb.arrived", "talker/usb"), 2u);
  ASSERT_TRUE(comes_true([&] { return !sink_.events("console.gap").empty(); })) << "no gap was recorded";
  // Whichever is heard first: that the adapter has gone, or that the hub has switched.
  EXPECT_EQ(sink_.events("console.gap").front().data["cause"], "powered_off");
  auto& console = dut.console();
  // The adapter is listed before its port can be opened.
  ASSERT_TRUE(comes_true([&] {
    try {
      console.write("hello\n", Deadline::in(10s));
      return true;
    } catch (const Error&) {
      return false;
    }
  }));
  const std::array patterns{Pattern::literal("hello")};
  EXPECT_NO_THROW(console.expect(patterns, Deadline::in(20s)));
  for (const auto& gap : console.gaps_since(0)) EXPECT_THAT(gap.cause, testing::AnyOf("powered_off", "deaf")) << gap.detail;
}

TEST_F(RealBenchTest, ABenchIsOpenedBeforeTheBoardsOwnAdapterHasPower) {
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string console = "consoles: { main: { instrument: line, channel: console } }";
  bench_->dut("talker").power().off(nlohmann::json::object(), Deadline::in(30s));
  const auto without = with(kBench, "safe_state: keep", "safe_state: off");
  EXPECT_EQ(error_of([&] { open(without); }).kind(), ErrorKind::NotFound);
  open(with(without, "channel: console }", "channel: console, comes_with_power: true }"));
  auto& dut = bench_->dut("talker");
  EXPECT_FALSE(dut.usb().present());
  dut.power().on(Deadline::in(30s));
  ASSERT_TRUE(dut.usb().wait_present(Deadline::in(20s)));
  auto& heard = dut.console();
  const std::array patterns{Pattern::literal("hello")};
  ASSERT_TRUE(comes_true([&] {
    try {
      heard.write("hello\n", Deadline::in(10s));
      return true;
    } catch (const Error&) {
      return false;
    }
  }));
  EXPECT_NO_THROW(heard.expect(patterns, Deadline::in(20s)));
  for (const auto& gap : heard.gaps_since(0)) EXPECT_THAT(gap.cause, testing::AnyOf("powered_off", "deaf")) << gap.detail;
  open(with(kBench, console, "consoles: {}"));  // with its power kept, for whoever comes next
  bench_->dut("talker").power().on(Deadline::in(30s));
  EXPECT_TRUE(bench_->dut("talker").usb().wait_present(Deadline::in(20s)));
}

TEST_F(RealBenchTest, TheTimeFromTheHubsSwitchToTheDevicesComingAndGoingIsMeasured) {
  auto& dut = bench_->dut("talker");
  Arrivals arrivals(sink_);
  const auto effect = choose_effect("usb:1-1.1", dut, bench_->config(), arrivals, "/sys");
  CalibrateOptions options;
  options.switchings = 3;
  options.limit = 20s;
  const auto found = calibrate(dut, *effect, calibration_key(bench_->config(), dut.config(), all_drivers()), options);
  EXPECT_EQ(found.effect, "usb 1-1.1");
  for (const auto& spread : {found.on, found.off}) {
    ASSERT_TRUE(spread) << to_json(found).dump();
    EXPECT_EQ(spread->count, 3);
    EXPECT_GT(spread->least, 0ms);
    EXPECT_LT(spread->most, 20s);
  }
  // A device is listed when it has been reset and read, which takes the kernel at least the 10 ms that USB 2.0 (7.1.7.5) gives a reset.
  EXPECT_GE(found.on->least, 10ms) << to_json(found).dump();
  EXPECT_LT(found.off->median, found.on->median) << to_json(found).dump();
  dut.power().on(Deadline::in(30s));  // calibrate leaves it off, and the hub keeps it: for whoever comes next
  EXPECT_TRUE(dut.usb().wait_present(Deadline::in(20s)));
}

TEST_F(RealBenchTest, WhatTheBoardDoesNotDeclareIsAFinding) {
  auto& usb = bench_->dut("keys").usb();
  ASSERT_TRUE(usb.present());
  EXPECT_THAT(usb.unexpected(),
              testing::UnorderedElementsAre(HasSubstr("is not declared"), HasSubstr("of class hid / 01 / 01, which is forbidden")));
  EXPECT_EQ(count("usb.unexpected", "keys/usb"), 2u);
  usb.reset(Deadline::in(20s));
  EXPECT_TRUE(usb.wait_present(Deadline::in(20s)));
  EXPECT_EQ(count("usb.reset", "keys/usb"), 1u);
}

TEST(RealUsbWatch, TellsByHotplugWhatComesAndGoes) {
  std::mutex mutex;
  std::vector<UsbChange> seen;
  const auto watch = UsbWatch::start([&](const UsbChange& change) {
    const std::scoped_lock lock(mutex);
    if (!change.first) seen.push_back(change);
  });
  const auto told = [&](std::size_t count) {
    return comes_true([&] {
      const std::scoped_lock lock(mutex);
      return seen.size() >= count;
    });
  };
  ask_host({{"execute", "device_add"},
            {"arguments", {{"driver", "usb-mouse"}, {"id", "mouse"}, {"bus", "xhci.0"}, {"port", "2"}, {"serial", "MOUSE1"}}}});
  ASSERT_TRUE(told(1));
  ask_host({{"execute", "device_del"}, {"arguments", {{"id", "mouse"}}}});
  ASSERT_TRUE(told(2));
  EXPECT_TRUE(seen[0].arrived);
  EXPECT_EQ(seen[0].how, "hotplug");
  EXPECT_EQ(seen[0].device.id.serial, "MOUSE1");
  ASSERT_EQ(seen[0].functions.size(), 1u);
  EXPECT_EQ(seen[0].functions[0].class_code, usb_class_code("hid"));
  EXPECT_FALSE(seen[1].arrived);
  EXPECT_EQ(seen[1].device.id.path, seen[0].device.id.path);
}

}  // namespace
}  // namespace hilcop
