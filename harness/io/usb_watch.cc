// SPDX-License-Identifier: Apache-2.0
#include "io/usb_watch.h"

#include <libusb.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "io/usb_context.h"

namespace hilcop {
namespace {

// Debian builds libusb with udev: without udevd it registers a callback and never calls it (measured).
constexpr const char* kUdevd = "/run/udev/control";
constexpr timeval kWithoutUdevd{0, 200'000};
constexpr timeval kWithUdevd{2, 0};  // should udevd have died meanwhile

class RealUsbWatch final : public UsbWatch {
 public:
  RealUsbWatch(Tell tell, DeviceTree tree) : tell_(std::move(tell)), tree_(std::move(tree)) {
    libusb_context* made = nullptr;
    if (const int code = libusb_init(&made); code != 0)
      throw Error(ErrorKind::Unsupported, "USB of this host", std::string("libusb does not start: ") + libusb_error_name(code),
                  "check /dev/bus/usb");
    context_.reset(made);
    const int events = LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT;
    const int code = libusb_hotplug_register_callback(
        made, events, 0, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
        [](libusb_context*, libusb_device*, libusb_hotplug_event, void*) { return 0; }, nullptr, nullptr);
    std::error_code none;
    hotplug_ = code == 0 && std::filesystem::exists(kUdevd, none);
    look(true);
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }
  ~RealUsbWatch() override {
    thread_.request_stop();
    libusb_interrupt_event_handler(context_.get());
  }

  void look() override { look(false); }

 private:
  // A hotplug event only says that something changed: what, the next look tells. So none is lost, and none is told twice.
  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      timeval limit = hotplug_ ? kWithUdevd : kWithoutUdevd;
      libusb_handle_events_timeout_completed(context_.get(), &limit, nullptr);
      if (!stop.stop_requested()) look(false);
    }
  }

  void look(bool first) {
    const std::scoped_lock lock(mutex_);
    const auto at = real_clock().now();
    std::map<std::pair<std::string, int>, UsbChange> now;
    for (auto& device : usb_devices(tree_)) {
      const auto key = std::pair(device.id.path, device.id.address);  // a device that was plugged in again has another address
      if (const auto known = known_.find(key); known != known_.end())
        now[key] = known->second;
      else
        now[key] = {true, device, usb_functions_of(device.id, tree_),
                    at,   first,  hotplug_ ? "hotplug" : "sysfs every 200 ms: no udevd runs here"};
    }
    now.swap(known_);
    for (auto& [key, gone] : now) {
      if (known_.contains(key)) continue;
      gone.arrived = gone.first = false;
      gone.at = at;
      tell_(gone);
    }
    for (const auto& [key, here] : known_)
      if (!now.contains(key)) tell_(here);
  }

  Tell tell_;
  DeviceTree tree_;
  UsbContext context_;
  bool hotplug_ = false;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, UsbChange> known_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<UsbWatch> UsbWatch::start(Tell tell, DeviceTree tree) {
  return std::make_unique<RealUsbWatch>(std::move(tell), std::move(tree));
}

}  // namespace hilcop
