// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstring>
#include <map>

#include "base/error.h"
#include "bench/bench.h"
#include "fakes/memory_sink.h"

namespace hilcop {

/// A medium in memory, with the faults of real ones.
struct FakeMedium {
  std::vector<std::byte> bytes;
  std::uint64_t says = 0;              // its size as it says; 0: the truth
  std::uint64_t unplugged_at = ~0ull;  // a write or read that goes beyond it finds the device gone
  bool swallows = false;               // takes writes and keeps nothing
  std::size_t wraps = 0;               // a counterfeit: address modulo this
  std::uint64_t written = 0;
  bool changes = false;  // each read finds another byte
  int syncs = 0;
};

class FakeDisk final : public BlockDevice {
 public:
  explicit FakeDisk(FakeMedium& medium) : medium_(medium) {}
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return medium_.says != 0 ? medium_.says : medium_.bytes.size(); }
  std::size_t block_size() const override { return 512; }
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    check(offset, bytes.size(), bytes.data());
    if (!medium_.swallows)
      for (std::size_t i = 0; i < bytes.size(); ++i) medium_.bytes.at(place(offset + i)) = bytes[i];
    medium_.written += bytes.size();
  }
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) override {
    check(offset, bytes.size(), bytes.data());
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = medium_.bytes.at(place(offset + i));
    if (medium_.changes) medium_.bytes[512] = static_cast<std::byte>(std::to_integer<int>(medium_.bytes[512]) + 1);
  }
  void sync() override { ++medium_.syncs; }

 private:
  std::size_t place(std::uint64_t at) const { return static_cast<std::size_t>(medium_.wraps != 0 ? at % medium_.wraps : at); }
  void check(std::uint64_t offset, std::size_t size, const std::byte* address) const {
    // What O_DIRECT wants, or EINVAL.
    if (offset % 512 != 0 || size % 512 != 0 || reinterpret_cast<std::uintptr_t>(address) % 512 != 0)
      throw Error(ErrorKind::Protocol, name_, "not aligned");
    if (offset + size > medium_.unplugged_at) throw Error(ErrorKind::Disconnected, name_, "the device has gone");
  }

  FakeMedium& medium_;
  std::string name_ = "/dev/fake";
};

/// A DUT that has a storage, and notes who has it.
class FakeDut final : public Dut, private Storage {
 public:
  FakeDut() {
    config_.name = "board1";
    config_.board.name = "b";
  }
  DutConfig& settings() { return config_; }
  FlashPart& part(bool dump, nlohmann::json route) {
    auto& list = dump ? config_.board.dump : config_.board.flash;
    list.push_back({"card", "storage", std::move(route), "keep", {}, 20s, true});
    return list.back();
  }
  FakeMedium medium;
  std::vector<std::string> log;
  MemorySink sink;

  const DutConfig& config() const override { return config_; }
  Storage& storage(const std::string&) override { return *this; }
  EventSink& events() override { return sink; }
  PowerPort& power() override { throw none(); }
  Console& console(const std::string&) override { throw none(); }
  Button& button(const std::string&) override { throw none(); }
  DigitalOutput& output(const std::string&) override { throw none(); }
  DigitalInput& input(const std::string&) override { throw none(); }
  nlohmann::json power_timing() const override { return {}; }
  UsbPort& usb() override { throw none(); }
  NetworkPort& network() override { throw none(); }
  Meter& meter(const std::string&) override { throw none(); }
  std::vector<SwitchResult> set_together(const std::vector<std::string>&, bool, Deadline) override { throw none(); }
  void reset(Nanoseconds, Deadline) override {}
  BootResult boot_to(const std::string&, Deadline) override { return {}; }
  BootResult boot_so_far() override { return {}; }
  BootLog boot_log() override { throw none(); }

 private:
  static Error none() { return {ErrorKind::NotFound, "dut", "has none"}; }
  std::unique_ptr<BlockDevice> attach(Deadline) override {
    log.emplace_back("host");
    return std::make_unique<FakeDisk>(medium);
  }
  void detach(Deadline) override { log.emplace_back("dut"); }

  DutConfig config_;
};

}  // namespace hilcop
