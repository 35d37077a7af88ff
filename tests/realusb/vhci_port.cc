// SPDX-License-Identifier: Apache-2.0
// USB/IP: Linux, Documentation/usb/usbip_protocol.rst. All integers of its header are big-endian.
#include "realusb/vhci_port.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>

#include "base/interrupt.h"
#include "io/usb_devices.h"

namespace hilcop {
namespace {

constexpr std::size_t kHeader = 48;
constexpr std::uint32_t kSubmit = 1, kUnlink = 2, kSubmitted = 3, kUnlinked = 4;
constexpr auto kLate = 700ms;  // half a second after the contract suite's deadline

const std::filesystem::path kDevices = "/sys/bus/usb/devices";

using Header = std::array<std::uint8_t, kHeader>;

std::uint32_t word(const Header& header, std::size_t index) {
  std::uint32_t value = 0;
  std::memcpy(&value, header.data() + 4 * index, 4);
  return ntohl(value);
}
void set_word(Header& header, std::size_t index, std::uint32_t value) {
  value = htonl(value);
  std::memcpy(header.data() + 4 * index, &value, 4);
}
bool receive(int fd, std::uint8_t* into, std::size_t size) { return ::recv(fd, into, size, MSG_WAITALL) == static_cast<ssize_t>(size); }

// RET_SUBMIT with the data of an IN transfer.
Bytes reply(std::uint32_t sequence, std::int32_t status, const Bytes& data, std::uint32_t sent) {
  Header header{};
  set_word(header, 0, kSubmitted);
  set_word(header, 1, sequence);
  set_word(header, 5, static_cast<std::uint32_t>(status));
  set_word(header, 6, sent);
  Bytes bytes(header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string path_of(int port) {
  // Its first controller has one root hub of each speed; which buses they are depends on what else the machine has.
  const bool super = port >= kSuperSpeedPorts;
  for (const auto& hub : usb_devices())
    if (hub.id.serial == "vhci_hcd.0" && (hub.speed_mbps >= 5000) == super)
      return std::to_string(hub.id.bus) + "-" + std::to_string(port % kSuperSpeedPorts + 1);
  throw std::runtime_error("no vhci_hcd: modprobe vhci-hcd");
}

}  // namespace

VhciPort::VhciPort(std::shared_ptr<EmulatedUsb> device, Speed speed, int port) : device_(std::move(device)), path_(path_of(port)) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) throw std::runtime_error("no socket pair");
  far_end_.reset(pair[0]);
  const UniqueFd kernel_end(pair[1]);
  thread_ = std::jthread([this] {
    serve();
    serving_ = false;
  });
  std::ofstream attach("/sys/devices/platform/vhci_hcd.0/attach");
  attach << port << " " << kernel_end.get() << " " << 0x10001 + port << " " << static_cast<int>(speed) << std::flush;
  if (!attach) throw std::runtime_error("vhci_hcd takes no device at port " + std::to_string(port));
  const auto driver = kDevices / path_ / (path_ + ":1.0") / "driver";
  for (const Deadline deadline = Deadline::in(20s); !deadline.expired(); wait_until(deadline.at_most(5ms)))
    if (std::filesystem::exists(driver)) return;
  throw std::runtime_error("the kernel did not take the emulated device at " + path_);
}

VhciPort::~VhciPort() { unplug(); }

void VhciPort::unplug() {
  if (far_end_) ::shutdown(far_end_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  far_end_.reset();
  // The socket is free once the kernel has let go of the device.
  for (const Deadline deadline = Deadline::in(10s); std::filesystem::exists(kDevices / path_) && !deadline.expired();)
    wait_until(deadline.at_most(5ms));
}

void VhciPort::behave(Behaviour behaviour) { behaviour_ = behaviour; }

void VhciPort::serve() {
  struct Owed {
    SteadyTime at;
    Bytes bytes;
  };
  std::map<std::uint32_t, Owed> owed;  // by sequence number; far in the future: held for ever
  const auto never = SteadyTime::max();
  for (;;) {
    auto next = never;
    for (const auto& [sequence, one] : owed) next = std::min(next, one.at);
    pollfd entry{far_end_.get(), POLLIN, 0};
    const int ready = ::poll(&entry, 1, next == never ? -1 : Deadline(next).poll_timeout_ms());
    for (auto one = owed.begin(); one != owed.end();)
      if (one->second.at <= real_clock().now()) {
        ::send(far_end_.get(), one->second.bytes.data(), one->second.bytes.size(), MSG_NOSIGNAL);
        one = owed.erase(one);
      } else {
        ++one;
      }
    if (ready == 0) continue;
    Header header{};
    if (!receive(far_end_.get(), header.data(), header.size())) return;
    const auto sequence = word(header, 1);
    if (word(header, 0) == kUnlink) {
      Header answer{};
      set_word(answer, 0, kUnlinked);
      set_word(answer, 1, sequence);
      set_word(answer, 5, owed.erase(word(header, 5)) != 0 ? static_cast<std::uint32_t>(-ECONNRESET) : 0);
      ::send(far_end_.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
      continue;
    }
    const bool in = word(header, 3) != 0;
    const auto length = word(header, 6);
    Bytes out(in ? 0 : length);
    if (!out.empty() && !receive(far_end_.get(), out.data(), out.size())) return;
    if (word(header, 0) != kSubmit) return;
    if (word(header, 4) != 0) {  // an interrupt endpoint: nothing ever happens on it
      owed[sequence] = {never, {}};
      continue;
    }
    const auto setup = UsbSetup::from(header.data() + 40);
    const auto behaviour = setup.of_class() ? behaviour_.load() : Behaviour::Sound;
    if (behaviour == Behaviour::HangsUp) {
      ::shutdown(far_end_.get(), SHUT_RDWR);
      return;
    }
    if (behaviour == Behaviour::Mute) {
      owed[sequence] = {never, {}};
      continue;
    }
    std::optional<Bytes> given;
    if (behaviour == Behaviour::Garbage)
      given = in ? Bytes(setup.length, 0xee) : Bytes{};
    else if (behaviour == Behaviour::Lies && !in)
      given = Bytes{};
    else if (behaviour != Behaviour::Refuses)
      given = device_->control(setup, out);
    if (given && behaviour == Behaviour::Truncated) given->resize(given->size() / 2);
    const auto sent = static_cast<std::uint32_t>(in && given ? given->size() : out.size());
    owed[sequence] = {behaviour == Behaviour::Late ? real_clock().now() + kLate : real_clock().now(),
                      given ? reply(sequence, 0, *given, sent) : reply(sequence, -EPIPE, {}, 0)};
  }
}

}  // namespace hilcop
