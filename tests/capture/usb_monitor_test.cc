// SPDX-License-Identifier: Apache-2.0
// Where there is no usbmon, or none for this user. What a real kernel's shows: tests/realusb.
#include "capture/usb_monitor.h"

#include <unistd.h>

#include <fstream>

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
