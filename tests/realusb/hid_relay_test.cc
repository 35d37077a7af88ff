// SPDX-License-Identifier: Apache-2.0
// HID relay boards behind the kernel's own HID driver. pdudaemon's driver shows first that the imitation is one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "realusb/guest_host.h"
#include "realusb/vhci_port.h"

namespace hilcop {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Deadline soon() { return Deadline::in(10s); }
std::unique_ptr<Instrument> open_relay(const json& config) { return driver_of("hid-relay").open(full_config("hid-relay", config), {}); }

TEST(RealHidRelay, PdudaemonsOwnDriverSwitchesTheImitation) {
  const auto board = std::make_shared<EmulatedHidRelay>("PDUD1");
  const VhciPort port(board, VhciPort::Speed::Full, 6);
  const auto said = said_by("/usr/bin/python3", {"-c",
                                                 "import sys, types, importlib.util\n"
                                                 "package = types.ModuleType('pdudaemon')\n"  // without all the rest of it
                                                 "package.__path__ = importlib.util.find_spec('pdudaemon').submodule_search_locations\n"
                                                 "sys.modules['pdudaemon'] = package\n"
                                                 "from pdudaemon.drivers.vusbhid import VUSBHID\n"
                                                 "VUSBHID('x', {'serial': 'PDUD1'}).port_interaction('on', 2)"});
  EXPECT_TRUE(board->on(2)) << said;
  EXPECT_FALSE(board->on(1));
  EXPECT_EQ(open_relay({{"id", "PDUD1"}})->get("2", soon()), true);
}

TEST(RealHidRelay, TwoIdenticalBoardsAreToldApartByTheirIdOrPath) {
  const auto first = std::make_shared<EmulatedHidRelay>("AAAAA"), second = std::make_shared<EmulatedHidRelay>("BBBBB", 8);
  const VhciPort first_port(first, VhciPort::Speed::Full, 6), second_port(second, VhciPort::Speed::Full, 7);
  const auto both = error_of([] { open_relay(json::object()); });
  EXPECT_EQ(both.kind(), ErrorKind::Config);
  EXPECT_THAT(both.what(), testing::AllOf(HasSubstr("id AAAAA"), HasSubstr("id BBBBB"), HasSubstr(first_port.path())));
  open_relay({{"id", "BBBBB"}})->set("8", true, json::object(), soon());
  EXPECT_TRUE(second->on(8));
  EXPECT_FALSE(first->on(1));
  open_relay({{"path", first_port.path()}})->set("1", true, json::object(), soon());
  EXPECT_TRUE(first->on(1));
  const auto none = error_of([] { open_relay({{"id", "CCCCC"}}); });
  EXPECT_EQ(none.kind(), ErrorKind::NotFound);
  EXPECT_THAT(none.what(), HasSubstr("id BBBBB"));
}

// It loses its power with the plug, hence its relays fall off: that is seen, and the board is found at another socket.
TEST(RealHidRelay, UnpluggedWhileOnIsDisconnectedAndFoundAgainWhereItIsPluggedIn) {
  auto board = std::make_shared<EmulatedHidRelay>("MOVED");
  auto port = std::make_unique<VhciPort>(board, VhciPort::Speed::Full, 6);
  const auto relay = open_relay({{"id", "MOVED"}});
  relay->set("1", true, json::object(), soon());
  port->unplug();
  EXPECT_EQ(error_of([&] { relay->get("1", soon()); }).kind(), ErrorKind::Disconnected);
  EXPECT_EQ(error_of([&] { relay->get("1", soon()); }).kind(), ErrorKind::NotFound);
  board = std::make_shared<EmulatedHidRelay>("MOVED");
  port = std::make_unique<VhciPort>(board, VhciPort::Speed::Full, 7);
  EXPECT_EQ(relay->get("1", soon()), false);
  EXPECT_EQ(relay->set("2", true, json::object(), soon()).read_back, true);
  EXPECT_TRUE(board->on(2));
}

TEST(RealHidRelay, OneProgramHasItAndTheKernelGetsItBack) {
  const VhciPort port(std::make_shared<EmulatedHidRelay>("ALONE"), VhciPort::Speed::Full, 6);
  const std::filesystem::path driver = "/sys/bus/usb/devices/" + port.path() + "/" + port.path() + ":1.0/driver";
  {
    const auto relay = open_relay({{"id", "ALONE"}});
    EXPECT_EQ(error_of([] { open_relay({{"id", "ALONE"}}); }).kind(), ErrorKind::Busy);
    EXPECT_EQ(std::filesystem::read_symlink(driver).filename(), "usbfs");
  }
  EXPECT_TRUE(comes_true([&] { return std::filesystem::exists(driver) && std::filesystem::read_symlink(driver).filename() == "usbhid"; }));
}

}  // namespace
}  // namespace hilcop
