// SPDX-License-Identifier: Apache-2.0
#include "fakes/emulated_usb.h"

#include <algorithm>

namespace hilcop {
namespace {

constexpr std::uint8_t kDevice = 1, kConfiguration = 2, kString = 3, kBos = 15, kReport = 0x22;

Bytes string_descriptor(const std::vector<std::string>& strings, std::size_t index) {
  if (index == 0) return {4, kString, 0x09, 0x04};
  Bytes made{0, kString};
  for (const char c : strings.at(index - 1)) {
    made.push_back(static_cast<std::uint8_t>(c));
    made.push_back(0);
  }
  made[0] = static_cast<std::uint8_t>(made.size());
  return made;
}

Bytes cut_to(Bytes bytes, std::size_t length) {
  if (bytes.size() > length) bytes.resize(length);
  return bytes;
}

// USB 3.2, 9.6.2: what the kernel needs to know of a device at SuperSpeed, and of a hub that has such a half.
const Bytes kBosOfHub{5, kBos, 22, 0, 2, 7, 16, 2, 2, 0, 0, 0, 10, 16, 3, 0, 0x0e, 0, 3, 10, 0xff, 7};

}  // namespace

UsbSetup UsbSetup::from(const std::uint8_t* b) {
  const auto word = [b](int at) { return static_cast<std::uint16_t>(b[at] | b[at + 1] << 8); };
  return {b[0], b[1], word(2), word(4), word(6)};
}

std::optional<Bytes> EmulatedUsb::control(const UsbSetup& setup, const Bytes& out) {
  if ((setup.type & 0x60) != 0) {
    auto given = answer(setup, out);
    return given ? std::optional(cut_to(std::move(*given), setup.length)) : std::nullopt;
  }
  constexpr std::uint8_t kGetStatus = 0, kGetDescriptor = 6;
  if (setup.in() && setup.request == kGetDescriptor) {
    const auto type = setup.value >> 8;
    const auto index = static_cast<std::size_t>(setup.value & 0xff);
    if (type == kDevice) return cut_to(device_descriptor(), setup.length);
    if (type == kConfiguration) return cut_to(configuration(), setup.length);
    if (type == kString && index <= strings().size()) return cut_to(string_descriptor(strings(), index), setup.length);
    if (type == kReport && !report_descriptor().empty()) return cut_to(report_descriptor(), setup.length);
    if (type == kBos && device_descriptor()[3] >= 3) return cut_to(kBosOfHub, setup.length);
    return std::nullopt;
  }
  if (setup.in() && setup.request == kGetStatus) return cut_to({1, 0}, setup.length);
  return setup.in() ? std::nullopt : std::optional(Bytes{});
}

Bytes EmulatedHidRelay::device_descriptor() const { return {18, kDevice, 0x10, 1, 0, 0, 0, 8, 0xc0, 0x16, 0xdf, 0x05, 0, 1, 1, 2, 0, 1}; }

Bytes EmulatedHidRelay::report_descriptor() const {
  // HID 1.11, 6.2.2: a vendor's page, one feature of eight bytes.
  return {0x06, 0, 0xff, 0x09, 1, 0xa1, 1, 0x15, 0, 0x26, 0xff, 0, 0x75, 8, 0x95, 8, 0x09, 0, 0xb2, 2, 1, 0xc0};
}

Bytes EmulatedHidRelay::configuration() const {
  const auto report = static_cast<std::uint8_t>(report_descriptor().size());
  return {9, kConfiguration, 34, 0, 1, 1, 0,       0x80,   10, 9, 4, 0,    0, 1, 3, 0, 0, 0,  //
          9, 0x21,           1,  1, 0, 1, kReport, report, 0,  7, 5, 0x81, 3, 8, 0, 20};
}

std::optional<Bytes> EmulatedHidRelay::answer(const UsbSetup& setup, const Bytes& out) {
  constexpr std::uint8_t kGetReport = 1, kSetReport = 9;
  if (setup.in() && setup.request == kGetReport) {
    Bytes report(8);
    std::copy_n(id_.begin(), std::min<std::size_t>(5, id_.size()), report.begin());
    report[7] = static_cast<std::uint8_t>(state_.load());
    return report;
  }
  if (setup.in() || setup.request != kSetReport) return setup.in() ? std::nullopt : std::optional(Bytes{});  // SET_IDLE of the kernel
  if (out.size() < 2 || out[1] > relays_) return std::nullopt;
  const int bit = out[1] == 0 ? 0 : 1 << (out[1] - 1);
  if (out[0] == 0xff) state_ |= bit;
  if (out[0] == 0xfd) state_ &= ~bit;
  return Bytes{};
}

Bytes EmulatedHub::device_descriptor() const {
  const auto version = static_cast<std::uint8_t>(speed_ == Speed::Super ? 3 : 2);
  const auto protocol = static_cast<std::uint8_t>(speed_ == Speed::Super ? 3 : speed_ == Speed::High ? 1 : 0);
  const auto packet = static_cast<std::uint8_t>(speed_ == Speed::Super ? 9 : 64);
  return {18, kDevice, 0, version, 9, 0, protocol, packet, 0x09, 0x12, 0x0b, 0x00, 0, 1, 1, 2, 0, 1};
}

Bytes EmulatedHub::configuration() const {
  const bool super = speed_ == Speed::Super;
  Bytes made{
      9, kConfiguration, static_cast<std::uint8_t>(super ? 31 : 25), 0, 1, 1, 0, 0xe0, 0, 9, 4, 0, 0, 1, 9, 0, 0, 0, 7, 5, 0x81, 0x03, 2, 0,
      12};
  // SuperSpeed Endpoint Companion. One by one: GCC 12 calls an insert() here out of bounds when it optimises.
  if (super)
    for (const std::uint8_t byte : std::array<std::uint8_t, 6>{6, 0x30, 0, 0, 2, 0}) made.push_back(byte);
  return made;
}

Bytes EmulatedHub::hub_descriptor() const {
  const auto ports = static_cast<std::uint8_t>(ports_);
  const auto low = static_cast<std::uint8_t>(characteristics_ & 0xff), high = static_cast<std::uint8_t>(characteristics_ >> 8);
  if (speed_ == Speed::Super) return {12, 0x2a, ports, low, high, 1, 0, 0, 0, 0, 0, 0};
  return {9, 0x29, ports, low, high, 1, 0, 0, 0xff};
}

std::optional<Bytes> EmulatedHub::answer(const UsbSetup& setup, const Bytes&) {
  constexpr std::uint8_t kGetStatus = 0, kClear = 1, kSet = 3, kGetDescriptor = 6;
  constexpr int kPortPower = 8, kOther = 3;
  const bool of_port = (setup.type & 0x1f) == kOther;
  if (setup.in() && setup.request == kGetDescriptor) return hub_descriptor();
  if (of_port && (setup.index & 0xff) > ports_) return std::nullopt;
  if (setup.in() && setup.request == kGetStatus) {
    const bool on = of_port && powered(setup.index & 0xff);
    // Of SuperSpeed: power is bit 9, and a port without a device is in the state Rx.Detect.
    const int status = speed_ == Speed::Super ? (on ? 0x0200 : 0) | (of_port ? 0x00a0 : 0) : (on ? 0x0100 : 0);
    return Bytes{static_cast<std::uint8_t>(status & 0xff), static_cast<std::uint8_t>(status >> 8), 0, 0};
  }
  if (setup.in()) return std::nullopt;
  if (of_port && setup.value == kPortPower) {
    if (setup.request == kSet) power(setup.index & 0xff, true);
    if (setup.request == kClear && ignored_.fetch_sub(1) <= 0) power(setup.index & 0xff, false);
  }
  return Bytes{};
}

}  // namespace hilcop
