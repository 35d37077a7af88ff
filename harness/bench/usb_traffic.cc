// SPDX-License-Identifier: Apache-2.0
#include "bench/usb_traffic.h"

#include <fmt/format.h>

#include "capture/recording.h"
#include "capture/usb_monitor.h"
#include "io/usb.h"

namespace hilcop {

namespace {

std::string who_is(const UsbIdentity& id) { return fmt::format("device {} of bus {} is {}", id.address, id.bus, described(id)); }

}  // namespace

void UsbTraffic::arrived(const UsbIdentity& id, bool of_dut) {
  const Number number{id.bus, id.address};
  {
    const std::scoped_lock lock(mutex_);
    own_.erase(number);
    others_.erase(number);
    if (of_dut)
      own_[number] = who_is(id);
    else
      others_.insert(number);
  }
  if (of_dut) captures_.mark(who_is(id));
}

void UsbTraffic::left(const UsbIdentity& id) {
  const std::scoped_lock lock(mutex_);
  others_.erase({id.bus, id.address});
  own_.erase({id.bus, id.address});
}

bool UsbTraffic::is_wanted(int bus, int device) {
  const std::scoped_lock lock(mutex_);
  return !others_.contains({bus, device});
}

void UsbTraffic::start(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) {
  captures_.start(name, file, ring, object_,
                  [this] { return std::make_unique<UsbMonitor>([this](int bus, int device) { return is_wanted(bus, device); }, object_); });
  std::map<Number, std::string> own;
  {
    const std::scoped_lock lock(mutex_);
    own = own_;
  }
  for (const auto& [number, who] : own) captures_.mark(who);
}

nlohmann::json UsbTraffic::stop(const std::string& name) { return figures(captures_.stop(name), true); }

nlohmann::json UsbTraffic::sync(const std::string& name, Deadline deadline) { return figures(captures_.sync(name, deadline), true); }

}  // namespace hilcop
