// SPDX-License-Identifier: Apache-2.0
// A disk of the real kernel (a loop device) that a sysfs of our own shows as USB mass storage.
#include "io/block_device.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/device_files.h"
#include "fakes/error_of.h"
#include "fakes/loop_device.h"
#include "io/usb_block_device.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kSize = 4u << 20;

class BlockDeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    stick("1-1.2", 5, "STICK01");
    for (const char* file : {"proc/self/mountinfo", "proc/swaps"}) DeviceFiles::write(files_ / file, "");
  }
  void stick(const std::string& path, int address, const std::string& serial) {
    files_.usb(path, address, {{"idVendor", "46f4"}, {"idProduct", "0001"}, {"serial", serial}});
  }
  void disk(const std::string& name, const std::string& usb_path, const std::string& number, int lun = 0,
            const std::string& size = "8192") {
    if (!made_interface_.contains(usb_path)) made_interface_[usb_path] = files_.interface(usb_path, 0, "080650", "usb-storage");
    const auto interface = made_interface_[usb_path];
    const std::string address = "6:0:0:" + std::to_string(lun);
    const auto scsi = interface / "host6/target6:0:0" / address;
    const auto made = scsi / "block" / name;
    DeviceFiles::write(made / "dev", number + "\n");
    DeviceFiles::write(made / "size", size + "\n");
    DeviceFiles::write(made / "ro", "0\n");
    // Of a disk that is really there, as the kernel counts it.
    if (const auto counted = sysfs_text("/sys/class/block/" + name + "/diskseq"); !counted.empty())
      DeviceFiles::write(made / "diskseq", counted + "\n");
    DeviceFiles::link(made / "device", scsi);
    DeviceFiles::link(files_ / ("sys/block/" + name), made);
    DeviceFiles::link(files_ / ("sys/class/block/" + name), made);
  }
  // Also the partition: a directory of its disk.
  void partition(const std::string& disk, const std::string& name, const std::string& number) {
    const auto made = std::filesystem::canonical(files_ / ("sys/class/block/" + disk)) / name;
    DeviceFiles::write(made / "dev", number + "\n");
    DeviceFiles::write(made / "partition", "1\n");
  }
  DeviceTree tree() const { return {files_ / "sys", "/dev", files_ / "proc"}; }
  std::string find(const UsbDiskSelector& selector) const { return find_usb_disk(selector, "storage 'card'", tree()); }
  std::unique_ptr<BlockDevice> open(std::uint64_t most = kSize) const {
    return open_block_device(loop_->name(), "USB 1-1.2", most, tree());
  }

  void need_loop(bool read_only = false) {
    loop_ = LoopDevice::over(dir_ / "medium", kSize, read_only);
    if (loop_) disk(loop_->name(), "1-1.2", loop_->number());
  }

  DeviceFiles files_;
  std::map<std::string, std::filesystem::path> made_interface_;
  TempDir dir_;
  std::optional<LoopDevice> loop_;
};

#define NEED_LOOP(...)    \
  need_loop(__VA_ARGS__); \
  if (!loop_) GTEST_SKIP() << "this user has no loop devices"

TEST_F(BlockDeviceTest, IsFoundByPathAndSerialTogether) {
  disk("sdb", "1-1.2", "8:16");
  EXPECT_EQ(find({"1-1.2", "STICK01", {}}), "sdb");
  const auto other = error_of([&] { find({"1-1.2", "STICK02", {}}); });
  EXPECT_EQ(other.kind(), ErrorKind::Config);
  EXPECT_THAT(other.what(), HasSubstr("serial number 'STICK01'"));
  const auto moved = error_of([&] { find({"1-1.3", "STICK01", {}}); });
  EXPECT_EQ(moved.kind(), ErrorKind::NotFound);
  EXPECT_THAT(moved.what(), HasSubstr("there is no USB device at 1-1.3"));
  EXPECT_THAT(moved.what(), HasSubstr("sdb (usb_path 1-1.2, serial 'STICK01', lun 0, 4194304 bytes)"));
  EXPECT_EQ(error_of([&] { find({"1-1.2", "", {}}); }).kind(), ErrorKind::Config);
  EXPECT_EQ(error_of([&] { find({"", "STICK01", {}}); }).kind(), ErrorKind::Config);
}

TEST_F(BlockDeviceTest, ADiskBehindAHubIsNotTheHubs) {
  files_.usb("1-1", 2, {{"idVendor", "0409"}, {"idProduct", "55aa"}, {"serial", "HUB"}, {"bDeviceClass", "09"}});
  disk("sdb", "1-1.2", "8:16");
  EXPECT_THAT(error_of([&] { find({"1-1", "HUB", {}}); }).what(), HasSubstr("the USB device at 1-1 shows no disk"));
}

TEST_F(BlockDeviceTest, OfTwoSlotsNoneIsTakenBecauseItCameFirst) {
  disk("sdb", "1-1.2", "8:16", 0);
  disk("sdc", "1-1.2", "8:32", 1);
  EXPECT_THAT(error_of([&] { find({"1-1.2", "STICK01", {}}); }).what(), HasSubstr("choose one by `lun:`"));
  EXPECT_EQ(find({"1-1.2", "STICK01", 1}), "sdc");
  EXPECT_EQ(error_of([&] { find({"1-1.2", "STICK01", 2}); }).kind(), ErrorKind::NotFound);
}

TEST_F(BlockDeviceTest, AStickWithoutASerialNumberFitsNone) {
  stick("1-1.3", 6, "");
  disk("sdb", "1-1.3", "8:16");
  EXPECT_EQ(error_of([&] { find({"1-1.3", "STICK01", {}}); }).kind(), ErrorKind::Config);
}

TEST_F(BlockDeviceTest, WhatIsWrittenIsOnTheMediumAndComesBack) {
  NEED_LOOP();
  const AlignedBuffer buffer(8192);
  for (std::size_t i = 0; i < 8192; ++i) buffer.bytes()[i] = static_cast<std::byte>(i * 7);
  {
    const auto device = open();
    EXPECT_EQ(device->size(), kSize);
    EXPECT_EQ(device->block_size(), 512u);
    device->write_at(kSize - 8192, buffer.bytes());
    device->sync();
    const AlignedBuffer again(8192);
    device->read_at(kSize - 8192, again.bytes());
    EXPECT_TRUE(std::equal(buffer.bytes().begin(), buffer.bytes().end(), again.bytes().begin()));
    EXPECT_EQ(error_of([&] { device->write_at(kSize - 4096, buffer.bytes()); }).kind(), ErrorKind::Protocol) << "beyond the end";
  }
  std::ifstream medium(dir_ / "medium", std::ios::binary);
  medium.seekg(static_cast<std::streamoff>(kSize - 8192));
  std::string found(8192, '\0');
  medium.read(found.data(), 8192);
  EXPECT_EQ(found[1], 7);
  EXPECT_EQ(found[8191], static_cast<char>(8191 * 7));
}

TEST_F(BlockDeviceTest, WhatTheHostUsesIsRefusedWithTheUse) {
  NEED_LOOP();
  const auto refusal = [&] {
    const auto error = error_of([&] { open(); });
    EXPECT_EQ(error.kind(), ErrorKind::Busy);
    return std::string(error.what());
  };
  const std::string line = " / /media/card rw,relatime shared:1 - ext4 none rw\n";
  DeviceFiles::write(files_ / "proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 " + loop_->number() + line);
  EXPECT_THAT(refusal(), HasSubstr(loop_->name() + " is mounted on /media/card"));
  // A file system whose number is its own is known by its source.
  DeviceFiles::write(files_ / "proc/self/mountinfo", "30 22 0:44 / /media/b rw - btrfs /dev/" + loop_->name() + " rw\n");
  EXPECT_THAT(refusal(), HasSubstr("mounted on /media/b"));
  partition(loop_->name(), loop_->name() + "p1", "259:7");
  DeviceFiles::write(files_ / "proc/self/mountinfo", "30 22 259:7" + line);
  EXPECT_THAT(refusal(), HasSubstr(loop_->name() + "p1 is mounted on /media/card"));
  DeviceFiles::write(files_ / "proc/self/mountinfo", "");
  DeviceFiles::write(files_ / "proc/swaps", "Filename\tType\tSize\n/dev/" + loop_->name() + " partition 1000 0 -2\n");
  EXPECT_THAT(refusal(), HasSubstr("is swap space of this host"));
  DeviceFiles::write(files_ / "proc/swaps", "");
  const auto part = std::filesystem::canonical(files_ / ("sys/class/block/" + loop_->name())) / (loop_->name() + "p1");
  std::filesystem::create_directories(part / "holders/dm-0");
  EXPECT_THAT(refusal(), HasSubstr(loop_->name() + "p1 is part of dm-0"));
  std::filesystem::remove_all(part);
  EXPECT_NO_THROW(open());
}

TEST_F(BlockDeviceTest, WhatSomebodyElseHoldsAloneIsRefusedWhateverIsSeen) {
  NEED_LOOP();
  const UniqueFd other(::open(("/dev/" + loop_->name()).c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  ASSERT_TRUE(other);
  const auto error = error_of([&] { open(); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy);
  EXPECT_THAT(error.what(), HasSubstr("lsblk"));
}

TEST_F(BlockDeviceTest, ALargerDiskThanWasDeclaredIsNotTheOneThatIsMeant) {
  NEED_LOOP();
  const auto error = error_of([&] { open(kSize - 1); });
  EXPECT_EQ(error.kind(), ErrorKind::Config);
  EXPECT_THAT(error.what(), HasSubstr("`max_bytes:` 4194303"));
}

TEST_F(BlockDeviceTest, ANameThatAnotherDeviceHasByNowIsRefused) {
  NEED_LOOP();
  DeviceFiles::write(std::filesystem::canonical(files_ / ("sys/class/block/" + loop_->name())) / "dev", "8:240\n");
  EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::Disconnected);
}

TEST_F(BlockDeviceTest, ANewDiskWithTheNameAndTheNumberOfTheOldIsRefused) {
  NEED_LOOP();
  const auto counted = std::filesystem::canonical(files_ / ("sys/class/block/" + loop_->name())) / "diskseq";
  if (!std::filesystem::exists(counted)) GTEST_SKIP() << "this kernel does not count disks";
  EXPECT_NO_THROW(open());
  DeviceFiles::write(counted, "1234567890123\n");
  EXPECT_EQ(error_of([&] { open(); }).kind(), ErrorKind::Disconnected);
}

TEST_F(BlockDeviceTest, WhatIsPulledBetweenFindingAndOpeningIsRefusedThoughAnotherHasItsName) {
  NEED_LOOP();
  const UsbDiskSelector stick01{"1-1.2", "STICK01", {}};
  const auto found = find(stick01);
  const auto open_found = [&](std::uint64_t most) { return open_usb_disk(stick01, found, "storage 'card'", most, tree()); };
  EXPECT_EQ(open_found(kSize)->size(), kSize);
  // Another stick at its place, under its name; that it is larger is not what is said of it.
  const auto serial = std::filesystem::canonical(files_ / "sys/bus/usb/devices/1-1.2") / "serial";
  DeviceFiles::write(serial, "STICK02\n");
  const auto other = error_of([&] { open_found(kSize - 1); });
  EXPECT_EQ(other.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(other.what(), HasSubstr("serial number 'STICK02'"));
  DeviceFiles::write(serial, "STICK01\n");
  // It came back under another name.
  std::filesystem::remove(files_ / ("sys/block/" + found));
  EXPECT_EQ(error_of([&] { open_found(kSize); }).kind(), ErrorKind::Disconnected) << "gone";
  disk("sdz", "1-1.2", "65:144");
  const auto back = error_of([&] { open_found(kSize); });
  EXPECT_EQ(back.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(back.what(), HasSubstr("is sdz now"));
}

TEST_F(BlockDeviceTest, AWriteProtectedDiskCanBeReadAndSaysWhyNotWritten) {
  NEED_LOOP(true);
  DeviceFiles::write(std::filesystem::canonical(files_ / ("sys/class/block/" + loop_->name())) / "ro", "1\n");
  const auto device = open();
  const AlignedBuffer buffer(4096);
  EXPECT_NO_THROW(device->read_at(0, buffer.bytes()));
  const auto error = error_of([&] { device->write_at(0, buffer.bytes()); });
  EXPECT_TRUE(error.kind() == ErrorKind::PermissionDenied || error.kind() == ErrorKind::Protocol) << error.what();
}

}  // namespace
}  // namespace hilcop
