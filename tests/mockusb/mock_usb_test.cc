// SPDX-License-Identifier: Apache-2.0
// What needs libusb but no kernel: which device is meant, what a refusal and an unplug are called, deadlines.
#include "mockusb/mock_usb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "fixtures/catalog.h"
#include "io/usb.h"
#include "io/usb_watch.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Deadline soon() { return Deadline::in(5s); }

class MockUsbTest : public testing::Test {
 protected:
  static std::unique_ptr<Instrument> open(json given) {
    const auto* driver = find_driver(all_drivers(), "hid-relay");
    for (const auto& key : driver->keys)
      if (!given.contains(key.name)) given[key.name] = key.fallback;
    return driver->open({"relay", "hid-relay", given}, {});
  }
  MockUsb bus_;
};

TEST_F(MockUsbTest, ARelayBoardIsSwitchedAndReadBack) {
  const auto board = std::make_shared<EmulatedHidRelay>("HURTM", 4);
  bus_.plug(1, board);
  const auto relay = open({{"id", "HURTM"}});
  EXPECT_EQ(relay->channels().size(), 4u);
  EXPECT_EQ(relay->set("3", true, json::object(), soon()).read_back, true);
  EXPECT_TRUE(board->on(3));
  EXPECT_EQ(relay->get("4", soon()), false);
}

TEST_F(MockUsbTest, AmbiguousAndMissingDevicesAreNamedWithWhatIsThere) {
  const auto none = error_of([] { find_usb_device({0x1234, {}, "", ""}, "thing", {}); });
  EXPECT_EQ(none.kind(), ErrorKind::NotFound);
  bus_.plug(1, std::make_shared<EmulatedHidRelay>("AAAAA"), "S1");
  bus_.plug(2, std::make_shared<EmulatedHidRelay>("BBBBB"), "S2");
  const auto several = error_of([] { find_usb_device({0x16c0, 0x05df, "", ""}, "thing"); });
  EXPECT_EQ(several.kind(), ErrorKind::Config);
  EXPECT_THAT(several.what(), testing::AllOf(HasSubstr("serial S1 at 1-1"), HasSubstr("serial S2 at 1-2")));
  EXPECT_EQ(find_usb_device({0x16c0, {}, "S2", ""}, "thing").id.path, "1-2");
  EXPECT_EQ(find_usb_device({{}, {}, "", "1-1"}, "thing").id.serial, "S1");
  const auto wrong = error_of([] { find_usb_device({0x16c0, 0x05e0, "", ""}, "thing"); });
  EXPECT_EQ(wrong.kind(), ErrorKind::NotFound);
  EXPECT_THAT(wrong.what(), testing::AllOf(HasSubstr("16c0:05e0"), HasSubstr("16c0:05df USBRelay2 serial S1 at 1-1")));
  EXPECT_THAT(error_of([] { open(json::object()); }).what(), testing::AllOf(HasSubstr("id AAAAA"), HasSubstr("id BBBBB")));
}

TEST_F(MockUsbTest, TheOneBoardThatAnswersIsNotTakenForTheOneThatDoesNot) {
  bus_.plug(1, std::make_shared<EmulatedHidRelay>("\x01"
                                                  "AAAA"));
  bus_.plug(2, std::make_shared<EmulatedHidRelay>("BBBBB"));
  EXPECT_THAT(error_of([] { open(json::object()); }).what(), testing::AllOf(HasSubstr("id BBBBB"), HasSubstr("or give `id:`")));
  EXPECT_EQ(open({{"id", "BBBBB"}})->get("1", soon()), false);
}

TEST_F(MockUsbTest, AHobbyistsDeviceOfTheSameVendorAndProductIsNoRelayBoard) {
  bus_.plug(1, std::make_shared<EmulatedHidRelay>("AAAAA", 9));
  EXPECT_EQ(error_of([] { open(json::object()); }).kind(), ErrorKind::NotFound);
}

TEST_F(MockUsbTest, AStallIsARefusalAndAnUnplugIsDisconnected) {
  bus_.plug(1, std::make_shared<EmulatedHidRelay>());
  const auto relay = open(json::object());
  bus_.fault(MockUsb::Fault::Stall);
  const auto refused = error_of([&] { relay->set("1", true, json::object(), soon()); });
  EXPECT_EQ(refused.kind(), ErrorKind::Protocol);
  EXPECT_THAT(refused.what(), HasSubstr("stall"));
  bus_.fault(MockUsb::Fault::Gone);
  EXPECT_EQ(error_of([&] { relay->set("1", true, json::object(), soon()); }).kind(), ErrorKind::Disconnected);
  bus_.fault(MockUsb::Fault::None);
  EXPECT_EQ(relay->set("1", true, json::object(), soon()).read_back, true) << "plugged in again, and not found";
}

TEST_F(MockUsbTest, ADeviceThatDoesNotAnswerIsATimeoutByTheDeadline) {
  bus_.plug(1, std::make_shared<EmulatedHidRelay>());
  const auto relay = open(json::object());
  bus_.fault(MockUsb::Fault::Hold);
  const auto begin = real_clock().now();
  EXPECT_EQ(error_of([&] { relay->get("1", Deadline::in(200ms)); }).kind(), ErrorKind::Timeout);
  EXPECT_LT(real_clock().now() - begin, 2s);
  bus_.fault(MockUsb::Fault::None);
  EXPECT_EQ(relay->get("1", soon()), false);
}

TEST_F(MockUsbTest, WithoutUdevdTheWatchLooksByItself) {
  std::mutex mutex;
  std::vector<UsbChange> seen;
  bus_.plug(1, std::make_shared<EmulatedHidRelay>());
  const auto watch = UsbWatch::start([&](const UsbChange& change) {
    const std::scoped_lock lock(mutex);
    seen.push_back(change);
  });
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_TRUE(seen[0].first);
  bus_.plug(2, std::make_shared<EmulatedHub>(EmulatedHub::Speed::Full));
  const Deadline deadline = soon();
  const auto count = [&] {
    const std::scoped_lock lock(mutex);
    return seen.size();
  };
  while (count() < 2 && !deadline.expired()) real_clock().sleep_until(real_clock().now() + 5ms);
  ASSERT_EQ(count(), 2u);
  EXPECT_EQ(seen[1].device.id.path, "1-2");
  ASSERT_EQ(seen[1].functions.size(), 1u);
  EXPECT_EQ(usb_class_name(seen[1].functions[0].class_code), "hub");
  bus_.unplug(2);
  watch->look();
  ASSERT_EQ(count(), 3u);
  EXPECT_FALSE(seen[2].arrived);
}

}  // namespace
}  // namespace hilcop
