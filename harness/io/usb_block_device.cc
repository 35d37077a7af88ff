// SPDX-License-Identifier: Apache-2.0
#include "io/usb_block_device.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;

struct UsbDisk {
  std::string name, path, serial;
  int lun = 0;
  std::uint64_t sectors = 0;
};

std::string line_of(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

// /sys/devices/.../usb1/1-1/1-1.2/1-1.2:1.0/host6/target6:0:0/6:0:0:0/block/sdb: the interface (with a colon) that is nearest to the disk
// is of its own device; those further up would be of hubs.
std::optional<UsbDisk> usb_disk(const fs::path& link) {
  std::error_code failed;
  const auto place = fs::canonical(link, failed);
  if (failed) return std::nullopt;
  UsbDisk disk;
  disk.name = link.filename().string();
  fs::path device;
  for (auto dir = place; dir.has_relative_path(); dir = dir.parent_path()) {
    const std::string part = dir.filename().string();
    if (const auto colon = part.find(':'); colon != std::string::npos && part.substr(0, colon).find('-') != std::string::npos &&
                                           fs::exists(dir / "bInterfaceNumber", failed)) {
      device = dir.parent_path();
      break;
    }
  }
  if (device.empty()) return std::nullopt;
  disk.path = device.filename().string();
  disk.serial = line_of(device / "serial");
  // The SCSI address HOST:CHANNEL:TARGET:LUN is the name of the directory that `device` leads to.
  const std::string address = fs::canonical(place / "device", failed).filename().string();
  if (const auto colon = address.rfind(':'); colon != std::string::npos) disk.lun = std::atoi(address.c_str() + colon + 1);
  disk.sectors = std::strtoull(line_of(place / "size").c_str(), nullptr, 10);
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

std::vector<UsbDisk> usb_disks(const BlockTree& tree) {
  std::vector<UsbDisk> disks;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(tree.sys / "block", none))
    if (auto disk = usb_disk(entry.path())) disks.push_back(*disk);
  std::sort(disks.begin(), disks.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return disks;
}

}  // namespace

std::string find_usb_disk(const UsbDiskSelector& selector, const std::string& object, const BlockTree& tree) {
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

}  // namespace hilcop
