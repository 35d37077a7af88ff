// SPDX-License-Identifier: Apache-2.0
#include "bench/usb_owners.h"

#include <fmt/format.h>

#include "io/usb.h"

namespace hilcop {

std::string UsbOwners::who_is(const UsbIdentity& id) { return fmt::format("device {} of bus {} is {}", id.address, id.bus, described(id)); }

void UsbOwners::arrived(const UsbIdentity& id, bool first, Whose whose) {
  const std::scoped_lock lock(mutex_);
  devices_.insert_or_assign({id.bus, id.address}, Device{id, first, whose, {}});
}

void UsbOwners::left(const UsbIdentity& id) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = devices_.find({id.bus, id.address}); found != devices_.end()) found->second.left = clock_.now();
}

void UsbOwners::judge_again(const Judge& judge) {
  const std::scoped_lock lock(mutex_);
  for (auto& [number, device] : devices_)
    if (!device.left) device.whose = judge(device.id, device.first);
}

bool UsbOwners::may_be_of_dut(int bus, int device) const {
  const std::scoped_lock lock(mutex_);
  const auto found = devices_.find({bus, device});
  if (found == devices_.end() || found->second.whose != Whose::Other) return true;
  return found->second.left && clock_.now() - *found->second.left > kRemembered;
}

std::vector<std::string> UsbOwners::of_dut() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> known;
  for (const auto& [number, device] : devices_)
    if (device.whose == Whose::Dut && !device.left) known.push_back(who_is(device.id));
  return known;
}

}  // namespace hilcop
