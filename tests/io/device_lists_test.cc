// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/device_files.h"
#include "io/network_interfaces.h"
#include "io/serial_ports.h"
#include "io/usb_devices.h"

namespace hilcop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::map<std::string, std::string> kFtdi{{"idVendor", "0403"},  {"idProduct", "6001"},        {"serial", "A1B2"},
                                               {"product", "FT232R"}, {"manufacturer", "FTDI Inc"}, {"speed", "12"}};

template <typename List, typename Member>
auto all(const List& list, Member member) {
  std::vector<std::decay_t<decltype(list.front().*member)>> values;
  for (const auto& one : list) values.push_back(one.*member);
  return values;
}

TEST(SerialPorts, AnAdapterIsToldWithEverythingThatPicksItOut) {
  DeviceFiles files;
  files.usb("1-1.2", 7, kFtdi);
  const auto interface = files.interface("1-1.2", 0, "ffffff", "ftdi_sio");
  files.tty("ttyUSB0", interface / "ttyUSB0", "ftdi_sio");
  files.link(files / "dev/serial/by-id/usb-FTDI_FT232R_A1B2-if00-port0", "../../ttyUSB0");
  files.link(files / "dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0", "../../ttyUSB0");
  files.link(files / "dev/serial/by-id/usb-of-another", "../../ttyUSB1");
  const auto ports = serial_ports(files.tree());
  ASSERT_EQ(ports.size(), 1u);
  const auto& port = ports[0];
  EXPECT_EQ(port.node.path, files / "dev/ttyUSB0");
  EXPECT_TRUE(port.node.accessible) << port.node.problem;
  EXPECT_EQ(port.driver, "ftdi_sio");
  ASSERT_TRUE(port.usb);
  EXPECT_EQ(vid_pid(*port.usb), "0403:6001");
  EXPECT_EQ(port.usb->serial, "A1B2");
  EXPECT_EQ(port.usb->path, "1-1.2");
  EXPECT_EQ(port.usb->bus, 1);
  EXPECT_EQ(port.usb->address, 7);
  EXPECT_EQ(port.usb_interface, 0);
  EXPECT_THAT(port.by_id, ElementsAre((files / "dev/serial/by-id/usb-FTDI_FT232R_A1B2-if00-port0").string()));
  EXPECT_EQ(port.by_path.size(), 1u);
  EXPECT_THAT(describe(port), HasSubstr("0403:6001 FTDI Inc FT232R, serial number A1B2, USB path 1-1.2, interface 0, driver ftdi_sio"));
}

TEST(SerialPorts, OfAnAdapterWithManyPortsEachHasItsInterface) {
  DeviceFiles files;
  files.usb("1-1", 3, {{"idVendor", "0403"}, {"idProduct", "6011"}});
  for (int i = 0; i < 12; ++i)
    files.tty("ttyUSB" + std::to_string(i), files.interface("1-1", i, "ffffff", "ftdi_sio") / ("ttyUSB" + std::to_string(i)), "ftdi_sio");
  const auto ports = serial_ports(files.tree());
  ASSERT_EQ(ports.size(), 12u);
  EXPECT_EQ(ports[2].name, "ttyUSB2");  // not ttyUSB10
  EXPECT_EQ(ports[11].usb_interface, 11) << "bInterfaceNumber is hexadecimal";
}

TEST(SerialPorts, WhatIsNoSerialPortIsLeftOut) {
  DeviceFiles files;
  files.write(files / "sys/devices/virtual/tty/tty1/dev", "4:1\n");
  files.link(files / "sys/class/tty/tty1", files / "sys/devices/virtual/tty/tty1");
  const auto platform = files / "sys/devices/platform/serial8250";
  for (const char* name : {"ttyS0", "ttyS1"}) {
    files.tty(name, platform / name, "serial8250");
    files.write(platform / name / "tty" / name / "type", name == std::string("ttyS0") ? "4\n" : "0\n");
  }
  files.write(files / "sys/class/tty/console/active", "tty0 ttyS0\n");
  const auto ports = serial_ports(files.tree());
  ASSERT_THAT(all(ports, &SerialPort::name), ElementsAre("ttyS0"));
  EXPECT_FALSE(ports[0].usb);
  EXPECT_TRUE(ports[0].host_console);
}

TEST(SerialPorts, TheDriverOfAUartIsNotTheBusBetween) {
  DeviceFiles files;
  const auto pnp = files / "sys/devices/pnp0/00:04";
  files.link(pnp / "driver", files / "sys/bus/pnp/drivers/serial");
  files.link(pnp / "00:04:0/00:04:0.0/driver", files / "sys/bus/serial-base/drivers/port");
  files.link(pnp / "00:04:0/00:04:0.0/subsystem", files / "sys/bus/serial-base");
  files.tty("ttyS0", pnp / "00:04:0/00:04:0.0");
  EXPECT_EQ(serial_ports(files.tree()).at(0).driver, "serial");
}

TEST(SerialPorts, ThatUdevHasNotMadeYetIsToldAndWhy) {
  DeviceFiles files;
  files.tty("ttyAMA0", files / "sys/devices/platform/uart", "uart-pl011");
  std::filesystem::remove(files / "dev/ttyAMA0");
  const auto ports = serial_ports(files.tree());
  ASSERT_EQ(ports.size(), 1u);
  EXPECT_FALSE(ports[0].node.accessible);
  EXPECT_THAT(describe(ports[0]), HasSubstr("No such file"));
}

TEST(SerialPorts, WhoHasOneOpenIsNamed) {
  DeviceFiles files;
  files.tty("ttyUSB0", files / "sys/devices/adapter", "ch341-uart");
  // Any character device will do; this one nobody else opens. The other process is a child of ours.
  std::filesystem::remove(files / "dev/ttyUSB0");
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(::unlockpt(master), 0);
  char name[64];
  ASSERT_EQ(::ptsname_r(master, name, sizeof name), 0);
  files.link(files / "dev/ttyUSB0", name);
  EXPECT_EQ(serial_ports(files.tree()).at(0).open_by, "");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(name, O_RDWR | O_NOCTTY);
    const char byte = fd >= 0 ? '1' : '0';
    if (::write(ready[1], &byte, 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, '1');
  EXPECT_THAT(serial_ports(files.tree()).at(0).open_by, HasSubstr("(pid " + std::to_string(child) + ")"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int fd : {master, ready[0], ready[1]}) ::close(fd);
}

// A user who is not root, in a process of its own; what it prints is what the test judges.
void look_as_nobody(const std::filesystem::path& node) {
  if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(9);
  const auto seen = look_at_node(node);
  std::fprintf(stderr, "%s|%s|%s\n", seen.accessible ? "yes" : "no", seen.problem.c_str(), seen.remedy.c_str());
  ::_exit(seen.accessible ? 1 : 0);
}

TEST(DeviceNode, WithoutAccessTheGroupToJoinIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file to another group";
  TempDir dir;
  ASSERT_EQ(::chmod(dir.path().c_str(), 0755), 0);
  const auto node = dir / "ttyUSB0";
  DeviceFiles::write(node, "");
  ASSERT_EQ(::chown(node.c_str(), 0, 20), 0);  // dialout in Debian
  ASSERT_EQ(::chmod(node.c_str(), 0660), 0);
  EXPECT_EXIT(look_as_nobody(node), testing::ExitedWithCode(0), "belongs to root:dialout with mode 0660.sudo usermod -aG dialout");
  ASSERT_EQ(::chown(node.c_str(), 0, 0), 0);
  EXPECT_EXIT(look_as_nobody(node), testing::ExitedWithCode(0), "root:root with mode 0660.install lab-config/udev/60-hilcop.rules");
}

TEST(UsbDevices, AHubIsToldWithItsPortsAndWhatIsInThem) {
  DeviceFiles files;
  files.usb("usb1", 1, {{"idVendor", "1d6b"}, {"idProduct", "0002"}, {"bDeviceClass", "09"}});
  files.interface("usb1", 0, "090000", "hub");
  files.usb("1-1", 4, {{"idVendor", "0409"}, {"idProduct", "55aa"}, {"bDeviceClass", "09"}});
  files.interface("1-1", 0, "090001", "hub");
  files.usb("1-1.2", 7, kFtdi);
  files.hub_port("usb1", 1, true, "1-1");
  for (int n = 1; n <= 10; ++n) files.hub_port("1-1", n, n != 3, n == 2 ? "1-1.2" : "");
  files.link(files / "sys/bus/usb/devices/1-1/1-1:1.0/1-1-port1/peer", files / "sys/devices/other/2-1-port1");
  const auto devices = usb_devices(files.tree());
  ASSERT_EQ(devices.size(), 3u);
  const auto& hub = devices[0];
  EXPECT_EQ(hub.id.path, "1-1");
  ASSERT_EQ(hub.ports.size(), 10u);
  EXPECT_EQ(hub.ports[9].number, 10);
  EXPECT_EQ(hub.ports[0].peer, "2-1-port1");
  EXPECT_EQ(hub.ports[1].device, "1-1.2");
  EXPECT_EQ(hub.ports[1].disable.filename(), "disable");
  EXPECT_TRUE(hub.ports[2].disable.empty());
  EXPECT_EQ(hub.ports[0].connect_type, "hotplug");
  EXPECT_EQ(hub.node.path, files / "dev/bus/usb/001/004");
  EXPECT_TRUE(hub.node.accessible);
  EXPECT_EQ(devices[2].id.path, "usb1");
  ASSERT_EQ(devices[2].ports.size(), 1u);
  EXPECT_EQ(devices[2].ports[0].device, "1-1");
}

TEST(UsbDevices, InterfacesCarryClassAndDriver) {
  DeviceFiles files;
  files.usb("3-4", 9, {{"idVendor", "16c0"}, {"idProduct", "05df"}, {"product", "USBRelay2"}, {"speed", "1.5"}});
  files.interface("3-4", 0, "030000", "usbhid");
  files.interface("3-4", 1, "08060c", "");
  const auto devices = usb_devices(files.tree());
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].speed_mbps, 1.5);
  ASSERT_EQ(devices[0].interfaces.size(), 2u);
  EXPECT_EQ(devices[0].interfaces[0].class_code, 3);
  EXPECT_EQ(devices[0].interfaces[0].driver, "usbhid");
  EXPECT_EQ(devices[0].interfaces[1].class_code, 8);
  EXPECT_EQ(devices[0].interfaces[1].protocol, 12);
  EXPECT_EQ(devices[0].interfaces[1].driver, "");
}

// Unplugged while it is read, or a kernel that says something unheard of.
TEST(UsbDevices, HalfADeviceIsLeftOut) {
  DeviceFiles files;
  files.usb("1-1", 2, {{"idVendor", "0403"}});
  files.usb("1-2", 3, {{"idVendor", "zzzz"}, {"idProduct", "6001"}});
  files.usb("1-3", 4, {{"idVendor", "0403"}, {"idProduct", "6001"}, {"speed", "unknown"}});
  files.link(files / "sys/bus/usb/devices/1-4", files / "nowhere");
  const auto devices = usb_devices(files.tree());
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].id.path, "1-3");
  EXPECT_EQ(devices[0].speed_mbps, 0);
}

TEST(UsbDevices, PortTenComesAfterPortTwo) {
  EXPECT_TRUE(earlier_path("1-1.2", "1-1.10"));
  EXPECT_FALSE(earlier_path("1-1.10", "1-1.2"));
  EXPECT_FALSE(earlier_path("1-1", "1-1"));
}

TEST(NetworkInterfaces, AnAdapterOnUsbAndABridge) {
  DeviceFiles files;
  files.usb("2-3", 5, {{"idVendor", "0bda"}, {"idProduct", "8153"}, {"serial", "000001"}});
  files.net("eth1", files.interface("2-3", 0, "ffff00", "r8152"),
            {{"address", "00:e0:4c:68:00:01"}, {"flags", "0x1003"}, {"carrier", "1"}});
  files.net("br0", {}, {{"address", "00:00:00:00:00:00"}, {"flags", "0x1002"}});
  files.write(files / "sys/class/net/bonding_masters", "");
  const auto interfaces = network_interfaces(files.tree());
  ASSERT_THAT(all(interfaces, &NetworkInterface::name), ElementsAre("br0", "eth1"));
  EXPECT_FALSE(interfaces[0].hardware);
  EXPECT_FALSE(interfaces[0].up);
  EXPECT_EQ(interfaces[0].carrier, std::nullopt);
  EXPECT_EQ(interfaces[0].mac, "");
  EXPECT_EQ(interfaces[1].driver, "r8152");
  EXPECT_TRUE(interfaces[1].up);
  EXPECT_EQ(interfaces[1].carrier, true);
  ASSERT_TRUE(interfaces[1].usb);
  EXPECT_EQ(interfaces[1].usb->path, "2-3");
}

TEST(DeviceLists, WithoutSysfsThereIsNothing) {
  const DeviceTree nowhere{"/nonexistent/sys", "/nonexistent/dev"};
  EXPECT_THAT(serial_ports(nowhere), IsEmpty());
  EXPECT_THAT(usb_devices(nowhere), IsEmpty());
  EXPECT_THAT(network_interfaces(nowhere), IsEmpty());
}

TEST(DeviceLists, OfThisHostItselfAreReadWithoutError) {
  for (const auto& port : serial_ports()) EXPECT_THAT(port.name, testing::Not(testing::MatchesRegex("tty[0-9]+|ptmx|console")));
  for (const auto& device : usb_devices()) EXPECT_GT(device.id.bus, 0);
  const auto interfaces = network_interfaces();
  const auto loopback = std::find_if(interfaces.begin(), interfaces.end(), [](const auto& one) { return one.name == "lo"; });
  ASSERT_NE(loopback, interfaces.end());
  EXPECT_FALSE(loopback->hardware);
  EXPECT_TRUE(!loopback->up || !loopback->addresses.empty());
}

}  // namespace
}  // namespace hilcop
