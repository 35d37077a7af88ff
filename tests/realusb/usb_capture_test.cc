// SPDX-License-Identifier: Apache-2.0
// What usbmon of a real kernel shows of devices in the guest, recorded by a bench and by the program. What is said here of a capture,
// test_real_usb.py lets tshark say too.
#include <algorithm>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/bench.h"
#include "capture/capture_reader.h"
#include "capture/usb_monitor.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "fakes/temp_dir.h"
#include "fixtures/catalog.h"
#include "io/usb.h"
#include "realusb/guest_host.h"

namespace hilcop {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kLine = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FTDI0001-if00-port0";
constexpr const char* kBench = R"(bench: guest
instruments:
  hub: { driver: usb-hub, path: "1-1" }
  line: { driver: serial, port: /dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FTDI0001-if00-port0 }
  other: { driver: serial, port: /dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_FTDI0002-if00-port0 }
duts:
  talker:
    board: talker.yaml
    power: { instrument: hub, channel: "1", safe_state: keep }
    consoles: { main: { instrument: line, channel: console } }
    usb: { path: 1-1.1 }
  other:  # the same device, whose console is left to others
    board: talker.yaml
    usb: { serial: FTDI0001 }
  neighbour:
    board: talker.yaml
    consoles: { main: { instrument: other, channel: console } }
)";

// drivers/usb/mon/mon_bin.c; where they stand in a packet.
constexpr std::size_t kType = 8, kTransfer = 9, kDevice = 11, kSetup = 40, kData = 64;

struct Recorded {
  std::string all;                   // the data of all packets
  std::vector<std::string> packets;  // whole
  std::set<int> devices;
  std::string comments;
};
Recorded read(const std::filesystem::path& file) {
  Recorded found;
  CaptureReader reader(file);
  while (const auto packet = reader.next()) {
    const std::string bytes(reinterpret_cast<const char*>(packet->bytes.data()), packet->bytes.size());
    found.packets.push_back(bytes);
    found.devices.insert(static_cast<unsigned char>(bytes.at(kDevice)));
    found.all += bytes.substr(kData);
    found.comments += packet->comment + "\n";
    EXPECT_GE(packet->length, packet->bytes.size());
  }
  for (const auto& comment : reader.comments()) found.comments += comment + "\n";  // the head is one of them
  EXPECT_TRUE(reader.damage().empty());
  EXPECT_EQ(reader.interfaces().at(0).type, LinkType::UsbLinux);
  EXPECT_EQ(reader.interfaces().at(0).name, "usbmon0");
  return found;
}

// To the host of this guest, on the only way out of it.
void show_host(const std::string& name, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string hex;
  for (char c; in.get(c);) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  for (std::size_t at = 0; at < hex.size(); at += 4000) std::printf("\nCAPTURE %s %s", name.c_str(), hex.substr(at, 4000).c_str());
  std::printf("\n");
  std::fflush(stdout);
}

class RealUsbCaptureTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(dir_ / "bench.yaml") << kBench;
    std::ofstream(dir_ / "talker.yaml") << "board: talker\n";
    OpenOptions options;
    options.duts = {"talker", "neighbour"};
    bench_ = Bench::open(load_bench_config(dir_ / "bench.yaml", dir_.path(), all_drivers()), options, all_drivers(), sink_);
    if (!bench_->dut("talker").usb().present()) bench_->dut("talker").power().on(Deadline::in(30s));
    ASSERT_TRUE(bench_->dut("talker").usb().wait_present(Deadline::in(20s)));
  }
  int number() { return bench_->dut("talker").usb().device().id.address; }
  // Both have said and heard this.
  void say(const std::string& dut, const std::string& text) {
    auto& console = bench_->dut(dut).console();
    ASSERT_TRUE(comes_true([&] {
      try {
        console.write(text, Deadline::in(10s));
        return true;
      } catch (const Error&) {
        return false;  // it has just come, and its port cannot be opened yet
      }
    }));
    const std::array patterns{Pattern::literal(text.substr(0, text.size() - 1))};
    EXPECT_NO_THROW(console.expect(patterns, Deadline::in(20s)));
  }

  TempDir dir_{true};
  MemorySink sink_;
  std::unique_ptr<Bench> bench_;
};

TEST_F(RealUsbCaptureTest, WhatPassesWithTheDutIsRecordedAndNothingOfItsNeighbour) {
  auto& usb = bench_->dut("talker").usb();
  const auto file = dir_ / "talk.pcapng";
  usb.start_capture("one", file, {});
  EXPECT_EQ(error_of([&] { usb.start_capture("one", dir_ / "b.pcapng", {}); }).kind(), ErrorKind::Busy);
  say("talker", "said-by-the-talker\n");
  say("neighbour", "said-by-the-neighbour\n");
  EXPECT_GE(usb.sync_capture("one", Deadline::in(10s)).at("packets").get<int>(), 2);
  EXPECT_THAT(read(file).all, HasSubstr("said-by-the-talker"));
  const auto figures = usb.stop_capture("one");
  EXPECT_EQ(error_of([&] { usb.stop_capture("one"); }).kind(), ErrorKind::NotFound);
  EXPECT_EQ(figures.at("dropped"), 0) << figures.dump();
  EXPECT_TRUE(figures.at("failure").is_null()) << figures.dump();
  EXPECT_EQ(figures.at("files"), nlohmann::json::array({file.string()}));
  const auto found = read(file);
  EXPECT_EQ(found.packets.size(), figures.at("packets").get<std::size_t>());
  EXPECT_THAT(found.all, Not(HasSubstr("neighbour")));
  EXPECT_EQ(found.devices, std::set<int>{number()});
  EXPECT_THAT(found.comments, HasSubstr(fmt::format("device {} of bus 1 is 0403:6001", number())));
  EXPECT_THAT(found.comments, HasSubstr("USB of dut 'talker'"));
  // It went to the device (a submission of a bulk transfer), and came from it (a completion).
  const auto with = [&](char type) {
    return std::any_of(found.packets.begin(), found.packets.end(), [type](const std::string& packet) {
      return packet[kType] == type && packet[kTransfer] == 3 && packet.find("said-by-the-talker") != std::string::npos;
    });
  };
  EXPECT_TRUE(with('S'));
  EXPECT_TRUE(with('C'));
  show_host("talk", file);
}

TEST_F(RealUsbCaptureTest, TheNeighbourCouldHaveBeenSeen) {
  std::string all;
  UsbMonitor monitor([](int, int) { return true; }, "all of it");
  say("neighbour", "said-by-the-neighbour\n");
  const auto take = [&](std::span<const std::byte> bytes, std::uint32_t, UtcTime) {
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  while (monitor.take_block(take)) {
  }
  EXPECT_THAT(all, HasSubstr("said-by-the-neighbour"));
}

TEST_F(RealUsbCaptureTest, ADevicesFirstWordsAreRecordedAndWhatTheBenchDidStandsThere) {
  auto& dut = bench_->dut("talker");
  dut.power().off(nlohmann::json::object(), Deadline::in(30s));
  ASSERT_TRUE(dut.usb().wait_absent(Deadline::in(20s)));
  const auto file = dir_ / "first.pcapng";
  dut.usb().start_capture("one", file, {});
  dut.power().on(Deadline::in(30s));
  ASSERT_TRUE(dut.usb().wait_present(Deadline::in(20s)));
  say("talker", "here I am\n");
  const int mine = number();
  EXPECT_EQ(dut.usb().stop_capture("one").at("dropped"), 0);
  const auto found = read(file);
  EXPECT_TRUE(found.devices.contains(mine));
  EXPECT_FALSE(found.devices.contains(1)) << "the root hub is none of the DUT's";
  // Who are you (USB 2.0, 9.4.3): the device descriptor was asked for, and came. Which address that stands under is the host controller's.
  const std::string get_descriptor{"\x80\x06\x00\x01", 4};
  const auto asked = std::find_if(found.packets.begin(), found.packets.end(), [&](const std::string& packet) {
    return packet[kType] == 'S' && packet.compare(kSetup, 4, get_descriptor) == 0;
  });
  ASSERT_NE(asked, found.packets.end());
  const std::string vid_pid{"\x03\x04\x01\x60", 4};
  EXPECT_TRUE(std::any_of(asked, found.packets.end(), [&](const std::string& packet) {
    return packet[kType] == 'C' && packet.size() >= kData + 12 && packet.compare(kData + 8, 4, vid_pid) == 0;
  }));
  EXPECT_THAT(found.comments, HasSubstr("talker/power power.edge"));
  EXPECT_THAT(found.comments, HasSubstr(fmt::format("device {} of bus 1 is 0403:6001", mine)));
}

TEST_F(RealUsbCaptureTest, WhatTheKernelHadNoRoomForIsCounted) {
  UsbMonitor monitor([](int, int) { return true; }, "all of it");
  const auto hub = UsbHandle::open(find_usb_device({{}, {}, "", "1-1"}, "the hub"), "the hub");
  std::uint64_t asked = 0;
  for (const Deadline deadline = Deadline::in(60s); monitor.counts().dropped < 100 && !deadline.expired(); ++asked)
    hub->control_in({0x80, 6, 0x0100, 0}, 18, Deadline::in(5s));
  std::uint64_t taken = 0;
  const auto take = [&](std::span<const std::byte>, std::uint32_t, UtcTime) { ++taken; };
  while (monitor.take_block(take)) {
  }
  const auto counts = monitor.counts();
  EXPECT_GE(counts.dropped, 100u) << asked << " requests";
  EXPECT_EQ(counts.seen, monitor.fetched() + counts.dropped);
  EXPECT_GE(taken + counts.dropped, 2 * asked) << "a request and its completion each";
  EXPECT_GT(taken, 1000u);
}

TEST_F(RealUsbCaptureTest, TheProgramRecordsItAlsoIntoAPipe) {
  const int mine = number();
  bench_->close();
  std::ofstream(dir_ / "talk.sh") << "{ sleep 2; for i in 1 2 3 4 5 6 7 8; do echo said-by-a-person; sleep 0.2; done; } >" << kLine
                                  << " &\n"
                                  << std::getenv("HILCOP_PROGRAM") << " capture other --usb --seconds 5 -w - --bench "
                                  << dir_ / "bench.yaml"
                                  << " >" << dir_ / "program.pcapng"
                                  << "\nwait\n";
  const auto said = said_by("sh", {(dir_ / "talk.sh").string()});
  const auto found = read(dir_ / "program.pcapng");
  EXPECT_THAT(found.all, HasSubstr("said-by-a-person")) << said;
  EXPECT_TRUE(found.devices.contains(mine));
  EXPECT_FALSE(found.devices.contains(1));
}

TEST_F(RealUsbCaptureTest, ABenchThatIsClosedRecordsNoMoreAndWhatItHasIsWhole) {
  const auto file = dir_ / "closed.pcapng";
  auto& usb = bench_->dut("talker").usb();
  usb.start_capture("one", file, {});
  say("talker", "before the end\n");
  bench_->close();
  const auto figures = usb.stop_capture("one");
  EXPECT_THAT(read(file).all, HasSubstr("before the end"));
  CaptureReader reader(file);
  while (reader.next()) {
  }
  ASSERT_TRUE(reader.counts().at(0)) << "its counts stand at its end";
  EXPECT_EQ(reader.counts().at(0)->received, figures.at("packets").get<std::uint64_t>());
  EXPECT_EQ(error_of([&] { usb.start_capture("two", dir_ / "two.pcapng", {}); }).kind(), ErrorKind::Disconnected);
}

}  // namespace
}  // namespace hilcop
