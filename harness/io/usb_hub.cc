// SPDX-License-Identifier: Apache-2.0
#include "io/usb_hub.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

// USB 2.0, tables 11-15 and 11-16; USB 3.2, 10.16.2.
constexpr std::uint8_t kHubIn = 0xa0, kPortIn = 0xa3, kPortOut = 0x23;
constexpr std::uint8_t kGetStatus = 0, kClearFeature = 1, kSetFeature = 3, kGetDescriptor = 6;
constexpr std::uint16_t kHubDescriptor = 0x2900, kSuperSpeedHubDescriptor = 0x2a00;
constexpr std::uint16_t kPortPower = 8;
constexpr int kPowered = 0x0100, kSuperSpeedPowered = 0x0200;
constexpr int kReserved = 0xe0e0, kSuperSpeedReserved = 0xe000;
constexpr std::size_t kShortestDescriptor = 7, kMostDescriptor = 71;

Error failed(int why, const std::string& object, const std::filesystem::path& disable) {
  if (why == ENOENT || why == ENODEV)
    return {ErrorKind::Disconnected, object, "the hub has gone: it was unplugged, or lost its power", "plug it in again"};
  if (why == EACCES || why == EPERM)
    return {ErrorKind::PermissionDenied, object, "this user may not switch its ports (" + disable.string() + ")",
            "install the udev rule that gives them to a group (lab-config/README.md, 'Access')"};
  return error_from_errno(why, object, "use " + disable.string());
}

}  // namespace

UsbHubTraits hub_traits(UsbHandle& hub, bool super_speed, Deadline deadline) {
  const auto data =
      hub.control_in({kHubIn, kGetDescriptor, super_speed ? kSuperSpeedHubDescriptor : kHubDescriptor, 0}, kMostDescriptor, deadline);
  if (data.size() < kShortestDescriptor || data[1] != (super_speed ? kSuperSpeedHubDescriptor : kHubDescriptor) >> 8)
    throw Error(ErrorKind::Protocol, hub.object(), "it gives no hub descriptor", "check that it is a hub, and plug it in again");
  const int characteristics = data[3] | data[4] << 8;
  const int power = characteristics & 3, over_current = (characteristics >> 3) & 3;
  UsbHubTraits traits{data[2], ""};
  if (power == 0)
    traits.not_per_port = "it switches all its ports together (ganged)";
  else if (power != 1)
    traits.not_per_port = "it does not switch power";
  else if (over_current > 1)
    // As uhubctl judges: a hub that guards no current has no switches behind what it claims.
    traits.not_per_port = "it claims to switch each port but has no over-current protection, hence no switches";
  return traits;
}

bool hub_port_powered(UsbHandle& hub, bool super_speed, int port, Deadline deadline) {
  const auto data = hub.control_in({kPortIn, kGetStatus, 0, static_cast<std::uint16_t>(port)}, 4, deadline);
  const int status = data.size() == 4 ? data[0] | data[1] << 8 : -1;
  if (status < 0 || (status & (super_speed ? kSuperSpeedReserved : kReserved)) != 0)
    throw Error(ErrorKind::Protocol, hub.object(), "its answer is no status of a port", "plug it in again");
  return (status & (super_speed ? kSuperSpeedPowered : kPowered)) != 0;
}

void set_hub_port_power(UsbHandle& hub, int port, bool on, Deadline deadline) {
  hub.control_out({kPortOut, on ? kSetFeature : kClearFeature, kPortPower, static_cast<std::uint16_t>(port)}, {}, deadline);
}

bool kernel_port_powered(const std::filesystem::path& disable, const std::string& object) {
  const UniqueFd fd(::open(disable.c_str(), O_RDONLY | O_CLOEXEC));
  char text = 0;
  if (!fd || ::read(fd.get(), &text, 1) < 0) throw failed(errno, object, disable);
  if (text != '0' && text != '1')
    throw Error(ErrorKind::Protocol, object, "the kernel says neither on nor off of a port", "use `by: control`");
  return text == '0';
}

void set_kernel_port_power(const std::filesystem::path& disable, bool on, const std::string& object) {
  const UniqueFd fd(::open(disable.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), on ? "0" : "1", 1) != 1) throw failed(errno, object, disable);
}

bool is_super_speed(const UsbDevice& device) { return device.speed_mbps >= 5000; }

}  // namespace hilcop
