// SPDX-License-Identifier: Apache-2.0
#include "io/serial_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "fakes/device_files.h"
#include "fakes/error_of.h"

namespace hilcop {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

class SerialSelectorTest : public testing::Test {
 protected:
  void plug(const std::string& path, const std::string& name, const std::string& serial, int interface = 0) {
    std::map<std::string, std::string> attributes{{"idVendor", "0403"}, {"idProduct", "6001"}, {"product", "FT232R"}};
    if (!serial.empty()) attributes["serial"] = serial;
    if (interface == 0) files_.usb(path, ++address_, attributes);
    files_.tty(name, files_.interface(path, interface, "ffffff", "ftdi_sio") / name, "ftdi_sio");
  }
  std::string chosen(const SerialSelector& selector) const { return select_serial_port(selector, "console", files_.tree()).name; }
  Error refused(const SerialSelector& selector) const {
    return error_of([&] { select_serial_port(selector, "console", files_.tree()); });
  }
  DeviceFiles files_;
  int address_ = 1;
};

TEST_F(SerialSelectorTest, FindsByEachThingThatPicksItOut) {
  plug("1-1", "ttyUSB0", "A");
  plug("1-2.4", "ttyUSB1", "B");
  files_.link(files_ / "dev/serial/by-id/usb-FTDI_B-if00-port0", "../../ttyUSB1");
  EXPECT_EQ(chosen({.serial = "B"}), "ttyUSB1");
  EXPECT_EQ(chosen({.path = "1-1"}), "ttyUSB0");
  EXPECT_EQ(chosen({.id = "usb-FTDI_B-if00-port0"}), "ttyUSB1");
  EXPECT_EQ(chosen({.serial = "A", .path = "1-1", .vid_pid = "0403:6001", .interface = 0}), "ttyUSB0");
}

TEST_F(SerialSelectorTest, OfAnAdapterWithManyPortsTheInterfaceSays) {
  plug("1-1", "ttyUSB0", "A", 0);
  plug("1-1", "ttyUSB1", "A", 1);
  EXPECT_EQ(chosen({.serial = "A", .interface = 1}), "ttyUSB1");
  const auto error = refused({.serial = "A"});
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_EQ(error.remedy(), "tell them apart by: interface");
}

TEST_F(SerialSelectorTest, TwoThatFitAreBothToldAndNoneIsTaken) {
  plug("1-1", "ttyUSB0", "");
  plug("1-2", "ttyUSB1", "");
  plug("1-3", "ttyUSB2", "C");
  const auto error = refused({.vid_pid = "0403:6001"});
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.cause(), HasSubstr("usb: {vid_pid: 0403:6001} fits 3 serial ports"));
  EXPECT_THAT(error.context(), SizeIs(3));
  EXPECT_THAT(error.context(), Contains(HasSubstr("ttyUSB1: 0403:6001 FT232R, no serial number, USB path 1-2")));
}

// One that this user may not open fits as well: it is not as if it were not there.
TEST_F(SerialSelectorTest, AnInaccessibleOneIsACandidate) {
  plug("1-1", "ttyUSB0", "");
  plug("1-2", "ttyUSB1", "");
  std::filesystem::remove(files_ / "dev/ttyUSB1");
  const auto error = refused({.vid_pid = "0403:6001"});
  EXPECT_THAT(error.context(),
              Contains(HasSubstr("ttyUSB1: 0403:6001 FT232R, no serial number, USB path 1-2, interface 0, driver ftdi_sio; no access")));
}

TEST_F(SerialSelectorTest, WhereNoneFitsAllAreTold) {
  EXPECT_THAT(refused({.serial = "X"}).context(), Contains("this host has no serial port"));
  plug("1-1", "ttyUSB0", "A");
  files_.tty("ttyS0", files_ / "sys/devices/platform/serial0", "serial8250");
  const auto error = refused({.serial = "X"});
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.context(), SizeIs(2));
  EXPECT_THAT(error.what(), HasSubstr("serial number A"));
}

TEST_F(SerialSelectorTest, WithoutASerialNumberTheSocketTellsTwinsApart) {
  plug("1-1", "ttyUSB0", "");
  plug("1-2", "ttyUSB1", "");
  EXPECT_EQ(chosen({.path = "1-2", .vid_pid = "0403:6001"}), "ttyUSB1");
  EXPECT_THAT(refused({.vid_pid = "0403:6001"}).remedy(), HasSubstr("path"));
}

}  // namespace
}  // namespace hilcop
