// SPDX-License-Identifier: Apache-2.0
// Where there is no usbmon, or none for this user. What a real kernel's shows: tests/realusb.
#include "capture/usb_monitor.h"

#include <unistd.h>

#include <cstring>
#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/captures.h"
#include "fakes/error_of.h"
#include "fakes/temp_dir.h"

namespace hilcop {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class UsbMonitorTest : public testing::Test {
 protected:
  Error refusal() const {
    return error_of([this] { UsbMonitor([](int, int) { return true; }, "USB of dut 'a'", dev_.path()); });
  }
  TempDir dev_;
};

TEST_F(UsbMonitorTest, AKernelWithoutUsbmonIsToldWithWhatLoadsIt) {
  const auto error = refusal();
  EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("USB of dut 'a': "), HasSubstr("no usbmon"), HasSubstr("modprobe usbmon")));
}

TEST_F(UsbMonitorTest, WhoMayNotUseItIsToldWhatWouldGiveIt) {
  std::ofstream(dev_ / "usbmon0") << "";
  std::filesystem::permissions(dev_ / "usbmon0", std::filesystem::perms::none);
  std::filesystem::permissions(dev_.path(), std::filesystem::perms::all);
  const auto user = ::geteuid();
  ASSERT_TRUE(user != 0 || ::seteuid(65534) == 0);
  const auto error = refusal();
  ASSERT_TRUE(user != 0 || ::seteuid(0) == 0);
  EXPECT_EQ(error.kind(), ErrorKind::PermissionDenied);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("with mode 0000"), HasSubstr("lab-config/udev/60-hilcop.rules")));
}

TEST_F(UsbMonitorTest, WhatIsNoUsbmonIsNoneOfItsErrors) {
  std::ofstream(dev_ / "usbmon0") << "a file";
  EXPECT_THAT(refusal().what(), HasSubstr("cannot have a buffer of usbmon"));
}

// drivers/usb/mon/mon_bin.c: where they stand in the 64 bytes of an event.
std::vector<std::byte> event(char type, char data_is, std::uint32_t length, std::uint32_t kept, std::uint32_t descriptors = 0) {
  std::vector<std::byte> made(64 + kept);
  const auto put = [&](std::size_t at, auto value) { std::memcpy(made.data() + at, &value, sizeof value); };
  put(8, type), put(11, std::uint8_t{5}), put(12, std::uint16_t{2}), put(15, data_is);
  put(16, std::int64_t{1'700'000'000}), put(24, std::int32_t{123'456});
  put(32, length), put(36, kept), put(60, descriptors);
  return made;
}

TEST(UsbmonEventTest, WhatIsMissingOfAnEventIsSeenByItsLength) {
  struct Case {
    const char* what;
    char type, data_is;
    std::uint32_t length, kept, descriptors, on_wire;
  };
  for (const auto& [what, type, data_is, length, kept, descriptors, on_wire] :
       {Case{"a request for 512 bytes, which has none yet", 'S', '<', 512, 0, 0, 64}, Case{"its answer", 'C', 0, 512, 512, 0, 64 + 512},
        Case{"the answer to what was sent", 'C', '>', 512, 0, 0, 64}, Case{"one that failed", 'E', 'E', 512, 0, 0, 64},
        Case{"data in pieces of a controller's own", 'C', 'D', 512, 0, 0, 64 + 512},
        Case{"without an address", 'C', 'Z', 512, 0, 0, 64 + 512}, Case{"more than is kept", 'C', 0, 300'000, 200, 0, 64 + 300'000},
        Case{"isochronous", 'C', 0, 90, 3 * 16 + 90, 3, 64 + 3 * 16 + 90},
        Case{"isochronous, asked for", 'S', '<', 90, 3 * 16, 3, 64 + 3 * 16}}) {
    const auto bytes = event(type, data_is, length, kept, descriptors);
    const auto read = usbmon_event(bytes);
    ASSERT_TRUE(read) << what;
    EXPECT_EQ(read->packet.bytes.size(), 64 + kept) << what;
    EXPECT_EQ(read->packet.length, on_wire) << what;
    EXPECT_EQ(read->bus, 2) << what;
    EXPECT_EQ(read->device, 5) << what;
    EXPECT_EQ(read->packet.at.time_since_epoch(), 1'700'000'000s + 123'456us) << what;
  }
}

TEST(UsbmonEventTest, TheRingsEndAndWhatIsTornIsNone) {
  EXPECT_FALSE(usbmon_event(event('@', 0, 0, 0)));
  const auto whole = event('C', 0, 100, 100);
  EXPECT_FALSE(usbmon_event(std::span(whole).first(63)));
  const auto cut = usbmon_event(std::span(whole).first(100));
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->packet.bytes.size(), 100u);
  EXPECT_EQ(cut->packet.length, 164u) << "the rest is told as missing";
}

TEST_F(UsbMonitorTest, ACaptureThatCannotBeginLeavesNoFileAndNoName) {
  Captures captures("USB of dut 'a'");
  const auto start = [&] {
    captures.start("one", dev_ / "a.pcapng", {}, "", [this]() -> std::unique_ptr<PacketSource> {
      return std::make_unique<UsbMonitor>([](int, int) { return true; }, "USB of dut 'a'", dev_.path());
    });
  };
  EXPECT_EQ(error_of(start).kind(), ErrorKind::Unsupported);
  EXPECT_FALSE(std::filesystem::exists(dev_ / "a.pcapng"));
  EXPECT_EQ(error_of(start).kind(), ErrorKind::Unsupported) << "the name is free";
  EXPECT_EQ(error_of([&] { captures.stop("one"); }).kind(), ErrorKind::NotFound);
}

}  // namespace
}  // namespace hilcop
