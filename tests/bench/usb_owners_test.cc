// SPDX-License-Identifier: Apache-2.0
// Whose what passes on USB is: nothing of another's is kept, and nothing of the DUT's is left out.
#include "bench/usb_owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/usb_port.h"
#include "fakes/error_of.h"
#include "fakes/fake_clock.h"
#include "fakes/memory_sink.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

UsbIdentity device_at(const std::string& path, int address, const std::string& serial) {
  return {0x0525, 0xa4a7, serial, "ACME", "thing", path, 1, address};
}

TEST(UsbOwnersTest, WhatPassedWithAnothersDeviceIsStillItsWhenThatHasGone) {
  FakeClock clock;
  UsbOwners owners(clock);
  const auto keyboard = device_at("1-3", 4, "K");
  EXPECT_TRUE(owners.may_be_of_dut(1, 4)) << "nobody knows it yet";
  owners.arrived(keyboard, false, UsbOwners::Whose::Other);
  EXPECT_FALSE(owners.may_be_of_dut(1, 4));
  EXPECT_TRUE(owners.may_be_of_dut(2, 4)) << "another bus";
  owners.left(keyboard);
  clock.advance(UsbOwners::kRemembered);
  EXPECT_FALSE(owners.may_be_of_dut(1, 4));
  clock.advance(1ms);
  EXPECT_TRUE(owners.may_be_of_dut(1, 4)) << "the number may be the DUT's next";
  owners.arrived(device_at("1-1", 4, "D"), false, UsbOwners::Whose::Dut);
  EXPECT_TRUE(owners.may_be_of_dut(1, 4));
  EXPECT_THAT(owners.of_dut(), ElementsAre("device 4 of bus 1 is 0525:a4a7 thing serial D at 1-1"));
}

class OwnersOfPortTest : public testing::Test {
 protected:
  void open(UsbSelector selector) {
    port_.emplace(
        "dut", std::move(selector), board_, [] {}, sink_);
  }
  void arrives(const std::string& path, int address, const std::string& serial, bool first = false) {
    tell(path, address, serial, true, first);
  }
  void tell(const std::string& path, int address, const std::string& serial, bool arrived, bool first = false) {
    UsbChange change;
    change.arrived = arrived, change.first = first;
    change.device.id = device_at(path, address, serial);
    change.at = real_clock().now();
    port_->changed(change);
  }
  bool recorded(int device) { return port_->owners().may_be_of_dut(1, device); }

  Board board_;
  MemorySink sink_;
  std::optional<WatchedUsbPort> port_;
};

TEST_F(OwnersOfPortTest, ByItsSocketTheDutsIsWhatIsThereAndBelow) {
  open({{}, {}, "", "1-1.2"});
  arrives("usb1", 1, "", true);
  arrives("1-1", 2, "hub", true);
  arrives("1-1.20", 3, "beside");
  arrives("1-1.2", 4, "");
  arrives("1-1.2.1", 5, "below");
  for (const int other : {1, 2, 3}) EXPECT_FALSE(recorded(other)) << other;
  for (const int own : {4, 5, 6, 0}) EXPECT_TRUE(recorded(own)) << own;
}

TEST_F(OwnersOfPortTest, BySerialNumberWhatComesMayBeTheDutInAnotherGuiseUntilItsSocketIsKnown) {
  open({{}, {}, "D", ""});
  arrives("usb1", 1, "");
  arrives("1-2", 2, "K", true);
  EXPECT_FALSE(recorded(2)) << "it was there before, and is another";
  arrives("1-3", 3, "");  // its boot loader, which has no serial number
  arrives("1-4", 4, "M");
  EXPECT_TRUE(recorded(3));
  EXPECT_TRUE(recorded(4)) << "nobody knows yet";
  tell("1-3", 3, "", false);
  arrives("1-3", 5, "D");
  EXPECT_TRUE(recorded(5));
  EXPECT_FALSE(recorded(4)) << "it is known now that it is another's";
  arrives("1-5", 6, "N");
  EXPECT_FALSE(recorded(6));
  EXPECT_FALSE(recorded(1));
}

TEST_F(OwnersOfPortTest, OfAClosedBenchNothingIsRecorded) {
  open({{}, {}, "", "1-1.2"});
  port_->close();
  const auto error = error_of([&] { port_->start_capture("one", "/nowhere/a.pcapng", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(error.what(), HasSubstr("USB of dut 'dut': is recorded no more"));
}

}  // namespace
}  // namespace hilcop
