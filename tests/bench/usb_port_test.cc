// SPDX-License-Identifier: Apache-2.0
#include "bench/usb_port.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "fakes/memory_sink.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int kAcm = 2, kHid = 3, kStorage = 8;

UsbChange change_of(const std::string& path, int address, std::vector<int> classes, bool arrived = true, const std::string& serial = "S1") {
  UsbChange change;
  change.arrived = arrived;
  change.device.id = {0x0525, 0xa4a7, serial, "ACME", "console", path, 1, address};
  for (const int code : classes) change.functions.push_back({1, static_cast<int>(change.functions.size()), 0, code, 2, 1});
  change.at = real_clock().now();
  return change;
}

class UsbPortTest : public testing::Test {
 protected:
  UsbPortTest() { board_.usb = BoardUsb{{{0x0525, 0xa4a7, {{kAcm, 2, {}}}}}, {kHid}}; }
  WatchedUsbPort make(UsbSelector selector) {
    return {"dut", std::move(selector), board_, [] {}, sink_};
  }
  Board board_;
  MemorySink sink_;
};

TEST_F(UsbPortTest, WhatIsDeclaredIsNoFindingAndAnythingElseIs) {
  auto port = make({{}, {}, "", "1-1.2"});
  port.changed(change_of("1-1.2", 5, {kAcm}));
  EXPECT_TRUE(port.unexpected().empty());
  port.changed(change_of("1-1.2", 5, {}, false));
  port.changed(change_of("1-1.2", 6, {kAcm, kStorage, kHid}));  // it came back as more than it was
  EXPECT_THAT(port.unexpected(), ElementsAre(HasSubstr("class mass-storage / 02 / 01, which is not declared"),
                                             HasSubstr("class hid / 02 / 01, which is forbidden")));
  EXPECT_EQ(sink_.events("usb.unexpected").size(), 2u);
  EXPECT_EQ(sink_.events("usb.arrived").size(), 2u);
}

TEST_F(UsbPortTest, ADeviceWithoutInterfacesIsAFindingToo) {
  auto port = make({{}, {}, "", "1-1.2"});
  port.changed(change_of("1-1.2", 5, {}));
  EXPECT_THAT(port.unexpected(), ElementsAre(HasSubstr("no interface that could be judged")));
}

TEST_F(UsbPortTest, ABoardThatSaysNothingOfUsbIsNotJudged) {
  board_.usb.reset();
  auto port = make({{}, {}, "", "1-1.2"});
  port.changed(change_of("1-1.2", 5, {kHid}));
  EXPECT_TRUE(port.unexpected().empty());
  EXPECT_TRUE(port.present());
}

TEST_F(UsbPortTest, AllAtASocketAndBelowItIsOfTheDutAndNothingBeside) {
  auto port = make({{}, {}, "", "1-1.2"});
  port.changed(change_of("1-1.20", 4, {kHid}));
  port.changed(change_of("1-1", 3, {9}));
  EXPECT_FALSE(port.present());
  port.changed(change_of("1-1.2.4", 5, {kAcm}));
  EXPECT_TRUE(port.present());
  EXPECT_THAT(error_of([&] { port.device(); }).what(), HasSubstr("0525:a4a7 console serial S1 at 1-1.2.4"));
}

TEST_F(UsbPortTest, BySerialNumberItIsFoundAtAnySocketAndItsSocketIsItsOwnThen) {
  auto port = make({{}, {}, "S1", ""});
  port.changed(change_of("1-3", 4, {kAcm}, true, "S2"));
  EXPECT_FALSE(port.present());
  port.changed(change_of("1-4", 5, {kAcm}));
  EXPECT_EQ(port.device().id.path, "1-4");
  port.changed(change_of("1-4", 5, {}, false));
  port.changed(change_of("1-4", 6, {kHid}, true, "disguised"));  // in another guise, at the same socket
  EXPECT_FALSE(port.unexpected().empty());
}

// Of use under the thread sanitizer.
TEST_F(UsbPortTest, ItsSocketMayBeLearnedWhileItIsAskedFor) {
  auto port = make({{}, {}, "S1", ""});
  const std::string first = "1-1.4.4.4.4.4.4.4.4.4.4", second = "1-2.4.4.4.4.4.4.4.4.4.4";  // longer than what a string keeps in itself
  port.changed(change_of(first, 5, {kAcm}));
  std::jthread watch([&](const std::stop_token& stop) {
    for (bool at_second = true; !stop.stop_requested(); at_second = !at_second) {
      port.changed(change_of(at_second ? first : second, 5, {}, false));
      port.changed(change_of(at_second ? second : first, 5, {kAcm}));
    }
  });
  for (int n = 0; n < 2000; ++n) {
    try {
      const auto path = port.device().id.path;
      EXPECT_TRUE(path == first || path == second) << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::NotFound);  // between its leaving and its coming
    }
  }
}

TEST_F(UsbPortTest, AbsenceProvesThatItWentOnlyIfItWasThere) {
  auto port = make({{}, {}, "", "1-1.2"});
  const auto before = real_clock().now();
  EXPECT_EQ(port.gone_since(before, Deadline::in(0s)), std::nullopt);
  port.changed(change_of("1-1.2", 5, {kAcm}));
  EXPECT_EQ(port.gone_since(before, Deadline::in(30ms)), false);
  port.changed(change_of("1-1.2", 5, {}, false));
  EXPECT_EQ(port.gone_since(before, Deadline::in(0s)), true);
  EXPECT_EQ(port.gone_since(real_clock().now(), Deadline::in(0s)), std::nullopt);
}

}  // namespace
}  // namespace hilcop
