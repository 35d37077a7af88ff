// SPDX-License-Identifier: Apache-2.0
#include "io/usb.h"

#include <libusb.h>

#include <algorithm>

#include "base/error.h"
#include "io/usb_context.h"

namespace hilcop {
namespace {

struct CloseDevice {
  void operator()(libusb_device_handle* handle) const { libusb_close(handle); }
};
struct FreeList {
  void operator()(libusb_device** list) const { libusb_free_device_list(list, 1); }
};
using Handle = std::unique_ptr<libusb_device_handle, CloseDevice>;

Error failed(int code, const std::string& object, const std::string& what) {
  const std::string cause = what + ": ";
  switch (code) {
    case LIBUSB_ERROR_ACCESS:
      return {ErrorKind::PermissionDenied, object, cause + "this user may not use it",
              "install the udev rule that gives it to a group (lab-config/README.md, 'Access')"};
    case LIBUSB_ERROR_NO_DEVICE:
      return {ErrorKind::Disconnected, object, cause + "it has gone: it was unplugged, or lost its power",
              "plug it in again and check its cable and hub"};
    case LIBUSB_ERROR_NOT_FOUND:
      return {ErrorKind::NotFound, object, cause + "it has no such thing", "check that it is the device that is meant"};
    case LIBUSB_ERROR_BUSY:
      return {ErrorKind::Busy, object, cause + "another program holds it", "close that program"};
    case LIBUSB_ERROR_TIMEOUT:
      return {ErrorKind::Timeout, object, cause + "it did not answer in time", "plug it in again"};
    case LIBUSB_ERROR_PIPE:
      return {ErrorKind::Protocol, object, cause + "it refuses (stall)", "check that it is the device that is meant"};
    case LIBUSB_ERROR_NO_MEM:
      return {ErrorKind::Exhausted, object, cause + "no memory", "free memory and run again"};
    // -EPROTO, -EILSEQ, -EIO of the kernel: how a transfer ends that was under way when the plug was pulled, before the hub notices.
    case LIBUSB_ERROR_IO:
      return {ErrorKind::Disconnected, object, cause + "the transfer broke off: it was unplugged, or its cable is bad",
              "check its cable and hub"};
    default:
      return {ErrorKind::Protocol, object, cause + libusb_error_name(code), "plug it in again"};
  }
}

class OpenUsbDevice final : public UsbHandle {
 public:
  OpenUsbDevice(const UsbDevice& device, std::string object) : object_(std::move(object)) {
    libusb_context* made = nullptr;
    if (const int code = libusb_init(&made); code != 0) throw failed(code, object_, "start libusb");
    context_.reset(made);
    libusb_device** all = nullptr;
    const auto count = libusb_get_device_list(made, &all);
    if (count < 0) throw failed(static_cast<int>(count), object_, "list USB devices");
    const std::unique_ptr<libusb_device*, FreeList> list(all);
    const auto* const found = std::find_if(all, all + count, [&](libusb_device* one) {
      return libusb_get_bus_number(one) == device.id.bus && libusb_get_device_address(one) == device.id.address;
    });
    if (found == all + count) throw failed(LIBUSB_ERROR_NO_DEVICE, object_, "open");
    libusb_device_handle* handle = nullptr;
    if (const int code = libusb_open(*found, &handle); code != 0) throw failed(code, object_, "open");
    handle_.reset(handle);
    libusb_set_auto_detach_kernel_driver(handle, 1);
  }
  ~OpenUsbDevice() override {
    for (const int interface : claimed_) libusb_release_interface(handle_.get(), interface);
  }

  const std::string& object() const override { return object_; }

  std::vector<std::uint8_t> control_in(UsbRequest request, std::uint16_t most, Deadline deadline) override {
    std::vector<std::uint8_t> data(most);
    data.resize(transfer(request, data.data(), most, deadline));
    return data;
  }

  void control_out(UsbRequest request, std::span<const std::uint8_t> data, Deadline deadline) override {
    std::vector<std::uint8_t> copy(data.begin(), data.end());
    if (transfer(request, copy.data(), static_cast<std::uint16_t>(copy.size()), deadline) != data.size())
      throw Error(ErrorKind::Protocol, object_, "it took a part of a request only", "plug it in again");
  }

  void claim(int interface) override {
    if (const int code = libusb_claim_interface(handle_.get(), interface); code != 0) throw failed(code, object_, "take it");
    claimed_.push_back(interface);
  }

  void reset() override {
    // LIBUSB_ERROR_NOT_FOUND: it was reset, and is another device now.
    const int code = libusb_reset_device(handle_.get());
    if (code != 0 && code != LIBUSB_ERROR_NOT_FOUND) throw failed(code, object_, "reset");
  }

 private:
  std::size_t transfer(UsbRequest request, std::uint8_t* data, std::uint16_t size, Deadline deadline) {
    const int left_ms = deadline.poll_timeout_ms();
    if (left_ms <= 0) throw failed(LIBUSB_ERROR_TIMEOUT, object_, "a control transfer");  // libusb takes 0 for no limit
    const int done = libusb_control_transfer(handle_.get(), request.type, request.request, request.value, request.index, data, size,
                                             static_cast<unsigned>(left_ms));
    if (done < 0) throw failed(done, object_, "a control transfer");
    return static_cast<std::size_t>(done);
  }

  std::string object_;
  UsbContext context_;
  Handle handle_;
  std::vector<int> claimed_;
};

std::string hex4(int value) {
  UsbIdentity id;
  id.vid = static_cast<std::uint16_t>(value);
  return vid_pid(id).substr(0, 4);
}

}  // namespace

bool UsbSelector::matches(const UsbIdentity& id) const {
  return (!vid || *vid == id.vid) && (!pid || *pid == id.pid) && (serial.empty() || serial == id.serial) &&
         (path.empty() || path == id.path);
}

std::string UsbSelector::text() const {
  std::string said = "USB device";
  if (vid || pid) said += " " + (vid ? hex4(*vid) : "*") + ":" + (pid ? hex4(*pid) : "*");
  if (!serial.empty()) said += " serial " + serial;
  if (!path.empty()) said += " at " + path;
  return said;
}

std::string described(const UsbIdentity& id) {
  return vid_pid(id) + (id.product.empty() ? "" : " " + id.product) + (id.serial.empty() ? "" : " serial " + id.serial) + " at " + id.path;
}

UsbDevice find_usb_device(const UsbSelector& selector, const std::string& object, const DeviceTree& tree) {
  std::vector<UsbDevice> found;
  std::string there, meant;
  for (auto& device : usb_devices(tree)) {
    if (!device.id.path.starts_with("usb")) there += (there.empty() ? "" : ", ") + described(device.id);
    if (!selector.matches(device.id)) continue;
    meant += (meant.empty() ? "" : ", ") + described(device.id);
    found.push_back(std::move(device));
  }
  if (found.empty())
    throw Error(ErrorKind::NotFound, object, "there is no " + selector.text() + " on this host",
                there.empty() ? "plug it in; no USB device at all is there" : "plug it in, or choose another; there are: " + there);
  if (found.size() > 1)
    throw Error(ErrorKind::Config, object, "several are " + selector.text() + ": " + meant, "give a serial number or a USB path");
  return std::move(found.front());
}

std::unique_ptr<UsbHandle> UsbHandle::open(const UsbDevice& device, std::string object) {
  return std::make_unique<OpenUsbDevice>(device, std::move(object));
}

}  // namespace hilcop
