// SPDX-License-Identifier: Apache-2.0
// usbfs as libusb uses it: Linux, Documentation/driver-api/usb/usb.rst, "The USB character device nodes".
#include "mockusb/mock_usb.h"

#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <stdexcept>

namespace hilcop {
namespace {

std::string hex(const Bytes& bytes) {
  std::string text;
  char digits[3];
  for (const auto byte : bytes) {
    std::snprintf(digits, sizeof digits, "%02X", byte);
    text += digits;
  }
  return text;
}

std::string hex4(int value) {
  char text[5];
  std::snprintf(text, sizeof text, "%04x", static_cast<unsigned>(value));
  return text;
}

constexpr std::size_t kSetup = 8;

}  // namespace

MockUsb::MockUsb() : testbed_(umockdev_testbed_new()) {
  if (umockdev_in_mock_environment() == 0) throw std::runtime_error("run it under umockdev-wrapper");
}

MockUsb::~MockUsb() {
  while (!ports_.empty()) unplug(ports_.begin()->first);
  g_object_unref(testbed_);
}

void MockUsb::plug(int number, std::shared_ptr<EmulatedUsb> device, const std::string& serial) {
  const auto descriptor = device->device_descriptor();
  const auto id = [&](std::size_t at) { return hex4(descriptor[at] | descriptor[at + 1] << 8); };
  auto all = descriptor;
  const auto configuration = device->configuration();
  all.insert(all.end(), configuration.begin(), configuration.end());
  const auto address = std::to_string(number + 1), node = "bus/usb/001/00" + address;
  const auto name = "1-" + std::to_string(number);
  auto& port = ports_[number];
  port.bus = this;
  port.device = device;
  port.directory = "/devices/pci0000:00/0000:00:14.0/usb1/" + name;
  const auto strings = device->strings();
  std::string text = "P: " + port.directory + "\nN: " + node + "\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: DEVNAME=/dev/" + node +
                     "\nE: BUSNUM=001\nE: DEVNUM=00" + address + "\nE: MAJOR=189\nE: MINOR=" + std::to_string(number) +
                     "\nA: busnum=1\\n\nA: devnum=" + address + "\\n\nA: idVendor=" + id(8) + "\\n\nA: idProduct=" + id(10) +
                     "\\n\nA: bConfigurationValue=1\\n\nA: bDeviceClass=" + hex4(descriptor[4]).substr(2) +
                     "\\n\nA: speed=12\\n\nA: manufacturer=" + strings.at(0) + "\\n\nA: product=" + strings.at(1) + "\\n\n" +
                     (serial.empty() ? "" : "A: serial=" + serial + "\\n\n") + "H: descriptors=" + hex(all) + "\n";
  GError* error = nullptr;
  if (umockdev_testbed_add_from_string(testbed_, text.c_str(), &error) == 0) throw std::runtime_error(error->message);
  port.handler = umockdev_ioctl_base_new();
  g_signal_connect(port.handler, "handle-ioctl", G_CALLBACK(&MockUsb::on_ioctl), &port);
  if (umockdev_testbed_attach_ioctl(testbed_, ("/dev/" + node).c_str(), port.handler, &error) == 0)
    throw std::runtime_error(error->message);
  umockdev_testbed_uevent(testbed_, ("/sys" + port.directory).c_str(), "add");
}

void MockUsb::unplug(int number) {
  auto& port = ports_.at(number);
  umockdev_testbed_uevent(testbed_, ("/sys" + port.directory).c_str(), "remove");
  GError* error = nullptr;
  umockdev_testbed_detach_ioctl(testbed_, ("/dev/bus/usb/001/00" + std::to_string(number + 1)).c_str(), &error);
  g_clear_error(&error);
  umockdev_testbed_remove_device(testbed_, ("/sys" + port.directory).c_str());
  g_object_unref(port.handler);
  ports_.erase(number);
}

// From a thread of umockdev.
int MockUsb::on_ioctl(UMockdevIoctlBase*, UMockdevIoctlClient* client, void* context) {
  auto& port = *static_cast<Port*>(context);
  const std::scoped_lock lock(port.bus->mutex_);
  const auto request = umockdev_ioctl_client_get_request(client);
  auto* argument = umockdev_ioctl_client_get_arg(client);
  if (request == USBDEVFS_GET_CAPABILITIES) {
    auto* data = umockdev_ioctl_data_resolve(argument, 0, sizeof(std::uint32_t), nullptr);
    *reinterpret_cast<std::uint32_t*>(data->data) = 0;
    umockdev_ioctl_data_unref(data);
    umockdev_ioctl_client_complete(client, 0, 0);
  } else if (request == USBDEVFS_CLAIMINTERFACE || request == USBDEVFS_DISCONNECT_CLAIM || request == USBDEVFS_RELEASEINTERFACE ||
             request == USBDEVFS_IOCTL) {
    umockdev_ioctl_client_complete(client, 0, 0);
  } else if (request == USBDEVFS_GETDRIVER) {
    umockdev_ioctl_client_complete(client, -1, ENODATA);  // no driver of the kernel has it
  } else if (request == USBDEVFS_SUBMITURB) {
    return port.bus->submit(port, client) ? 1 : 0;
  } else if (request == USBDEVFS_REAPURB || request == USBDEVFS_REAPURBNDELAY) {
    reap(port, client);
  } else if (request == USBDEVFS_DISCARDURB) {
    // The kernel ends what is held, to be reaped.
    for (auto* urb : port.held) {
      reinterpret_cast<usbdevfs_urb*>(urb->data)->status = -ENOENT;
      port.done.push_back(urb);
    }
    port.held.clear();
    umockdev_ioctl_client_complete(client, 0, 0);
  } else {
    umockdev_ioctl_client_complete(client, -1, ENOTTY);
  }
  return 1;
}

bool MockUsb::submit(Port& port, UMockdevIoctlClient* client) {
  const auto fault = fault_.load();
  if (fault == Fault::Gone) {
    umockdev_ioctl_client_complete(client, -1, ENODEV);
    return true;
  }
  auto* data = umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, sizeof(usbdevfs_urb), nullptr);
  auto* urb = reinterpret_cast<usbdevfs_urb*>(data->data);
  auto* buffer = umockdev_ioctl_data_resolve(data, offsetof(usbdevfs_urb, buffer), static_cast<std::size_t>(urb->buffer_length), nullptr);
  const auto setup = UsbSetup::from(buffer->data);
  const Bytes out(buffer->data + kSetup, buffer->data + urb->buffer_length);
  const auto given = fault == Fault::Stall ? std::nullopt : port.device->control(setup, setup.in() ? Bytes{} : out);
  urb->status = given ? 0 : -EPIPE;
  urb->actual_length = !given ? 0 : static_cast<int>(setup.in() ? given->size() : out.size());
  if (given && setup.in()) std::copy(given->begin(), given->end(), buffer->data + kSetup);
  (fault == Fault::Hold ? port.held : port.done).push_back(data);
  umockdev_ioctl_data_unref(buffer);
  umockdev_ioctl_client_complete(client, 0, 0);
  return true;
}

void MockUsb::reap(Port& port, UMockdevIoctlClient* client) {
  if (port.done.empty()) {
    umockdev_ioctl_client_complete(client, -1, EAGAIN);
    return;
  }
  auto* slot = umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, sizeof(void*), nullptr);
  auto* data = port.done.front();
  port.done.pop_front();
  umockdev_ioctl_data_set_ptr(slot, 0, data);
  umockdev_ioctl_client_complete(client, 0, 0);
  umockdev_ioctl_data_unref(slot);
  umockdev_ioctl_data_unref(data);
}

}  // namespace hilcop
