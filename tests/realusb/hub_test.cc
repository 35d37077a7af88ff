// SPDX-License-Identifier: Apache-2.0
// The usb-hub driver on a hub that QEMU is, and on hubs that claim other things; uhubctl is the witness.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "realusb/guest_host.h"
#include "realusb/vhci_port.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kKeyboard = "1-1.3";

Deadline soon() { return Deadline::in(10s); }
std::unique_ptr<Instrument> open_hub(const json& config) { return driver_of("usb-hub").open(full_config("usb-hub", config), {}); }
std::string seen_by_uhubctl() { return said_by("/usr/sbin/uhubctl", {"-N", "-l", "1-1", "-p", "3"}); }

// The first port shows what every port could: the kernel lets go of the device, and finds it again.
TEST(RealHub, SwitchesAPortByTheKernelsAttribute) {
  const auto hub = open_hub({{"path", "1-1"}, {"by", "kernel"}});
  ASSERT_EQ(hub->channels().size(), 8u);
  ASSERT_EQ(hub->get("3", soon()), true);
  EXPECT_EQ(hub->set("3", false, json::object(), soon()).read_back, false);
  EXPECT_THAT(seen_by_uhubctl(), AllOf(HasSubstr("Port 3: "), Not(HasSubstr("power"))));
  EXPECT_TRUE(comes_true([] { return !on_bus(kKeyboard); }));
  EXPECT_TRUE(on_bus("1-1.2")) << "another port lost its power";
  EXPECT_EQ(hub->set("3", true, json::object(), soon()).read_back, true);
  EXPECT_TRUE(comes_true([] { return on_bus(kKeyboard); }));
}

// By requests to the hub the kernel goes on listing a device without power: only the port's status tells.
TEST(RealHub, SwitchesAPortByRequestsToTheHub) {
  const auto hub = open_hub({{"path", "1-1"}, {"by", "control"}});
  EXPECT_EQ(hub->set("3", false, json::object(), soon()).read_back, false);
  EXPECT_THAT(seen_by_uhubctl(), AllOf(HasSubstr("Port 3: "), Not(HasSubstr("power"))));
  EXPECT_EQ(hub->get("2", soon()), true);
  EXPECT_EQ(hub->set("3", true, json::object(), soon()).read_back, true);
  EXPECT_THAT(seen_by_uhubctl(), HasSubstr("power"));
  EXPECT_TRUE(comes_true([] { return on_bus(kKeyboard); }));
}

TEST(RealHub, IsRefusedWithTheReasonWhereItCannotSwitchItsPorts) {
  for (const auto& [characteristics, reason] :
       {std::pair(0x0008, "ganged"), {0x000a, "does not switch power"}, {0x0011, "no over-current protection"}}) {
    const auto device = std::make_shared<EmulatedHub>(EmulatedHub::Speed::High, 4, characteristics);
    const VhciPort port(device, VhciPort::Speed::High, 3);
    const json config{{"path", port.path()}};
    const auto error = error_of([&] { open_hub(config); });
    EXPECT_EQ(error.kind(), ErrorKind::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr(reason));
    EXPECT_THAT(driver_of("usb-hub").check(full_config("usb-hub", config)), ElementsAre(HasSubstr(reason)));
  }
  EXPECT_TRUE(driver_of("usb-hub").check(full_config("usb-hub", {{"path", "1-1"}})).empty());
}

TEST(RealHub, OffIsSaidAgainUntilTheHubHasHeardIt) {
  const auto device = std::make_shared<EmulatedHub>(EmulatedHub::Speed::High);
  const VhciPort port(device, VhciPort::Speed::High, 4);
  const auto hub = open_hub({{"path", port.path()}, {"by", "control"}});
  hub->set("2", true, json::object(), soon());
  device->ignore_offs(2);
  EXPECT_EQ(hub->set("2", false, json::object(), soon()).read_back, false);
  EXPECT_FALSE(device->powered(2));
  hub->set("2", true, json::object(), soon());
  device->ignore_offs(1000);
  EXPECT_EQ(hub->set("2", false, json::object(), soon()).read_back, true) << "a stuck port was said to be off";
}

TEST(RealHub, WhatIsNoHubIsRefused) {
  EXPECT_THAT(error_of([] { open_hub({{"path", kKeyboard}}); }).what(), HasSubstr("is no hub"));
  const auto absent = error_of([] { open_hub({{"path", "1-7"}}); });
  EXPECT_EQ(absent.kind(), ErrorKind::NotFound);
  EXPECT_THAT(absent.what(), HasSubstr("0409:55aa QEMU USB Hub"));
}

}  // namespace
}  // namespace hilcop
