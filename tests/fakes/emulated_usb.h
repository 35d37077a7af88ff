// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace hilcop {

using Bytes = std::vector<std::uint8_t>;

/// The setup packet of a control transfer (USB 2.0, 9.3).
struct UsbSetup {
  std::uint8_t type = 0, request = 0;
  std::uint16_t value = 0, index = 0, length = 0;
  static UsbSetup from(const std::uint8_t* bytes);
  bool of_class() const { return (type & 0x60) == 0x20; }
  bool in() const { return (type & 0x80) != 0; }
};

/// A USB device in this process, to be plugged into a kernel (VhciPort) or shown by umockdev (MockUsb). Called from the thread of that.
class EmulatedUsb {
 public:
  virtual ~EmulatedUsb() = default;
  virtual Bytes device_descriptor() const = 0;
  virtual Bytes configuration() const = 0;
  virtual std::vector<std::string> strings() const = 0;  // of index 1 ...
  /// Of the class; nullopt: a stall.
  virtual std::optional<Bytes> answer(const UsbSetup& setup, const Bytes& out) = 0;
  virtual Bytes report_descriptor() const { return {}; }
  /// Any request: the standard ones are the same for all.
  std::optional<Bytes> control(const UsbSetup& setup, const Bytes& out);
};

/// What the dcttech board does (pdudaemon, vusbhid.py; the free firmware of usbrelay): id, relays, feature report.
class EmulatedHidRelay final : public EmulatedUsb {
 public:
  explicit EmulatedHidRelay(std::string id = "HURTM", int relays = 2) : id_(std::move(id)), relays_(relays) {}
  void all_off() { state_ = 0; }
  bool on(int relay) const { return ((state_ >> (relay - 1)) & 1) != 0; }

  Bytes device_descriptor() const override;
  Bytes configuration() const override;
  std::vector<std::string> strings() const override { return {"www.dcttech.com", "USBRelay" + std::to_string(relays_)}; }
  std::optional<Bytes> answer(const UsbSetup& setup, const Bytes& out) override;
  Bytes report_descriptor() const override;

 private:
  std::string id_;
  int relays_;
  std::atomic<int> state_{0};
};

/// A hub without anything plugged in (USB 2.0, 11.23 and 11.24; USB 3.2, 10.15 and 10.16).
class EmulatedHub final : public EmulatedUsb {
 public:
  enum class Speed { Full, High, Super };
  /// `characteristics`: wHubCharacteristics; 0x0009: each port has its switch and its over-current protection.
  explicit EmulatedHub(Speed speed, int ports = 4, int characteristics = 0x0009)
      : speed_(speed), ports_(ports), characteristics_(characteristics) {}
  bool powered(int port) const { return power_.at(static_cast<std::size_t>(port)); }
  void power(int port, bool on) { power_.at(static_cast<std::size_t>(port)) = on; }
  /// So many offs are acknowledged and not done.
  void ignore_offs(int count) { ignored_ = count; }

  Bytes device_descriptor() const override;
  Bytes configuration() const override;
  std::vector<std::string> strings() const override { return {"hilcop", "test hub"}; }
  std::optional<Bytes> answer(const UsbSetup& setup, const Bytes& out) override;

 private:
  Bytes hub_descriptor() const;

  Speed speed_;
  int ports_, characteristics_;
  std::array<std::atomic<bool>, 16> power_{};
  std::atomic<int> ignored_{0};
};

}  // namespace hilcop
