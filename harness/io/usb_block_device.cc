// SPDX-License-Identifier: Apache-2.0
#include "io/usb_block_device.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "io/usb_devices.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;

struct UsbDisk {
  std::string name, path, serial;
  long lun = 0;
  std::uint64_t sectors = 0;
};

std::optional<UsbDisk> usb_disk(const fs::path& link, const DeviceTree& tree) {
  std::error_code failed;
  const auto place = fs::canonical(link, failed);
  if (failed) return std::nullopt;
  const auto usb = usb_identity_of(place, tree);
  if (!usb) return std::nullopt;
  UsbDisk disk{link.filename().string(), usb->path, usb->serial, 0, 0};
  // The SCSI address HOST:CHANNEL:TARGET:LUN is the name of the directory that `device` leads to.
  const auto address = link_name(place / "device");
  if (const auto colon = address.rfind(':'); colon != std::string::npos) disk.lun = std::atol(address.c_str() + colon + 1);
  disk.sectors = static_cast<std::uint64_t>(sysfs_number(place / "size").value_or(0));
  return disk;
}

std::string described(const UsbDisk& disk) {
  return disk.name + " (usb_path " + disk.path + ", serial " + (disk.serial.empty() ? "none" : "'" + disk.serial + "'") + ", lun " +
         std::to_string(disk.lun) + ", " + std::to_string(disk.sectors * 512) + " bytes)";
}

std::string described(const std::vector<UsbDisk>& disks) {
  std::string text;
  for (const auto& disk : disks) text += (text.empty() ? "" : ", ") + described(disk);
  return text.empty() ? "none" : text;
}

std::vector<UsbDisk> usb_disks(const DeviceTree& tree) {
  std::vector<UsbDisk> disks;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(tree.sys / "block", none))
    if (auto disk = usb_disk(entry.path(), tree)) disks.push_back(*disk);
  std::sort(disks.begin(), disks.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return disks;
}

}  // namespace

std::string find_usb_disk(const UsbDiskSelector& selector, const std::string& object, const DeviceTree& tree) {
  if (selector.path.empty() || selector.serial.empty())
    throw Error(ErrorKind::Config, object, "is not chosen by both its USB path and its serial number", "give `usb_path:` and `serial:`");
  const auto disks = usb_disks(tree);
  std::vector<UsbDisk> there;
  for (const auto& disk : disks)
    if (disk.path == selector.path && (!selector.lun || disk.lun == *selector.lun)) there.push_back(disk);
  if (there.empty()) {
    const bool present = fs::exists(tree.sys / "bus/usb/devices" / selector.path);
    throw Error(ErrorKind::NotFound, object,
                (present ? "the USB device at " + selector.path + " shows no disk" : "there is no USB device at " + selector.path) +
                    (selector.lun ? " with lun " + std::to_string(*selector.lun) : ""),
                "check its cable and power, and the mux; USB disks of this host: " + described(disks));
  }
  if (there.front().serial != selector.serial)
    throw Error(ErrorKind::Config, object, "another device stands at its place, with serial number '" + there.front().serial + "'",
                "plug in the one with '" + selector.serial + "', or mend lab-config; USB disks of this host: " + described(disks));
  if (there.size() > 1) throw Error(ErrorKind::Config, object, "has several disks: " + described(there), "choose one by `lun:`");
  return there.front().name;
}

std::unique_ptr<BlockDevice> open_usb_disk(const UsbDiskSelector& selector, const std::string& found, const std::string& object,
                                           std::uint64_t max_bytes, const DeviceTree& tree) {
  const auto still_it = [&] {
    std::string now;
    try {
      now = "is " + find_usb_disk(selector, object, tree) + " now";
    } catch (const Error& error) {
      now = error.cause();
    }
    if (now != "is " + found + " now")
      throw Error(ErrorKind::Disconnected, object, "was unplugged while " + found + " was opened: " + now,
                  "plug it in and leave it alone; nothing was written");
  };
  return open_block_device(found, "USB " + selector.path + ", serial " + selector.serial, max_bytes, tree, still_it);
}

}  // namespace hilcop
