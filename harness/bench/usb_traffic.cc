// SPDX-License-Identifier: Apache-2.0
#include "bench/usb_traffic.h"

#include <fmt/format.h>

#include "capture/recording.h"
#include "capture/usb_monitor.h"

namespace hilcop {

void UsbTraffic::start(const std::string& name, const std::filesystem::path& file, const std::optional<CaptureRing>& ring) {
  const auto comment = fmt::format("{}\n{}", object_, fmt::join(owners_.of_dut(), "\n"));
  captures_.start(name, file, ring, comment, [this] {
    return std::make_unique<UsbMonitor>([this](int bus, int device) { return owners_.may_be_of_dut(bus, device); }, object_);
  });
}

nlohmann::json UsbTraffic::stop(const std::string& name) { return figures(captures_.stop(name), true); }

nlohmann::json UsbTraffic::sync(const std::string& name, Deadline deadline) { return figures(captures_.sync(name, deadline), true); }

}  // namespace hilcop
