// SPDX-License-Identifier: Apache-2.0
// A mass-storage gadget of the real kernel at its own host controller (dummy_hcd): `hilcop flash` and `dump` as a person runs them.
#include <sys/mount.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "fakes/error_of.h"
#include "fixtures/catalog.h"
#include "io/usb_devices.h"
#include "realusb/flash_program.h"

namespace hilcop {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::size_t kMedium = 24u << 20;

void put(const fs::path& attribute, const std::string& text) {
  std::ofstream file(attribute);
  file << text << std::flush;
  if (!file) throw Error(ErrorKind::Protocol, attribute.string(), "cannot be written");
}

/// The device's side: what is written to the disk is in `medium`.
class Gadget {
 public:
  Gadget(const fs::path& medium, const std::string& serial) {
    fs::create_directory(root_);
    put(root_ / "idVendor", "0x0525");
    put(root_ / "idProduct", "0xa4a5");
    fs::create_directory(root_ / "strings/0x409");
    put(root_ / "strings/0x409/serialnumber", serial);
    fs::create_directory(function_);
    put(function_ / "stall", "0");
    put(function_ / "lun.0/removable", "1");
    put(function_ / "lun.0/file", medium.string());
    fs::create_directory(root_ / "configs/c.1");
    fs::create_directory_symlink(function_, root_ / "configs/c.1/mass_storage.card");
  }
  ~Gadget() {
    unplug();
    std::error_code ignored;
    fs::remove(root_ / "configs/c.1/mass_storage.card", ignored);
    for (const auto& folder : {root_ / "configs/c.1", function_, root_ / "strings/0x409", root_}) fs::remove(folder, ignored);
  }
  Gadget(const Gadget&) = delete;
  Gadget& operator=(const Gadget&) = delete;
  void plug() { put(root_ / "UDC", "dummy_udc.0"); }
  void unplug() { std::ofstream(root_ / "UDC") << "\n" << std::flush; }

 private:
  fs::path root_ = "/sys/kernel/config/usb_gadget/hilcop-card";
  fs::path function_ = root_ / "functions/mass_storage.card";
};

class UsbStorageTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/sys/kernel/config/usb_gadget")) ::mount("config", "/sys/kernel/config", "configfs", 0, nullptr);
    if (!fs::exists("/sys/class/udc/dummy_udc.0")) GTEST_SKIP() << "needs a kernel with dummy_hcd";
    std::ofstream(program_ / "medium");
    fs::resize_file(program_ / "medium", kMedium);
    for (std::size_t i = 0; i < (5u << 20) + 77; ++i) image_ += static_cast<char>(i * 31 ^ i >> 9);
    std::ofstream(program_ / "image", std::ios::binary) << image_;
    gadget_.emplace(program_ / "medium", "CARD01");
    gadget_->plug();
    path_ = usb_path();
    std::ofstream(program_ / "board.yaml") << "board: b\nflash: [{ name: card, storage: { offset_bytes: 4096 } }]\n"
                                              "dump: [{ name: card, storage: { offset_bytes: 4096, length_bytes: 1000000 } }]\n";
    bench("CARD01", kMedium);
  }

  std::string usb_path() const {
    for (const Deadline deadline = Deadline::in(20s); !deadline.expired(); wait_until(deadline.at_most(20ms)))
      for (const auto& device : usb_devices())
        if (device.id.serial == "CARD01") return device.id.path;
    ADD_FAILURE() << "the gadget did not show itself";
    return "";
  }
  void bench(const std::string& serial, std::size_t most) const {
    std::ofstream(program_ / "bench.yaml") << "bench: b\ninstruments: { card: { driver: usb-storage, usb_path: '" << path_
                                           << "', serial: " << serial << ", max_bytes: " << most << " } }\n"
                                           << "duts: { d: { board: board.yaml, storage: { main: { instrument: card, appear_s: 20 } } } }\n";
  }
  ProcessResult flash() const { return program_.run({"flash", "d", "--image", "image"}); }
  // What the driver says to it.
  std::string refusal(const std::string& serial, std::size_t most) const {
    disk();
    const InstrumentConfig config{"card", "usb-storage", {{"usb_path", path_}, {"serial", serial}, {"lun", nullptr}, {"max_bytes", most}}};
    return error_of([&] { find_driver(all_drivers(), "usb-storage")->open_storage(config, Deadline::in(10s)); }).what();
  }
  std::string medium(std::size_t from, std::size_t size) const {
    std::ifstream file(program_ / "medium", std::ios::binary);
    file.seekg(static_cast<std::streamoff>(from));
    std::string bytes(size, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(size));
    return bytes;
  }
  std::string disk() const {
    for (const Deadline deadline = Deadline::in(20s); !deadline.expired(); wait_until(deadline.at_most(20ms)))
      for (const auto& entry : fs::directory_iterator("/sys/block"))
        if (const auto usb = usb_identity_of(fs::canonical(entry.path())); usb && usb->serial == "CARD01") return entry.path().filename();
    ADD_FAILURE() << "no disk";
    return "";
  }

  FlashProgram program_;
  std::optional<Gadget> gadget_;
  std::string image_, path_;
};

TEST_F(UsbStorageTest, IsWrittenVerifiedAndDumped) {
  const auto done = flash();
  ASSERT_EQ(done.status.code, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("verified: read back, SHA-256"));
  EXPECT_TRUE(medium(4096, image_.size()) == image_);
  EXPECT_EQ(medium(0, 4096), std::string(4096, '\0'));
  const auto dumped = program_.run({"dump", "d", "--out", "out"});
  ASSERT_EQ(dumped.status.code, 0) << dumped.output;
  std::ifstream file(program_ / "out", std::ios::binary);
  EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(file), {}) == image_.substr(0, 1'000'000));
}

TEST_F(UsbStorageTest, AnotherSerialNumberAndALargerDiskAreRefused) {
  EXPECT_THAT(refusal("CARD02", kMedium), HasSubstr("another device stands at its place, with serial number 'CARD01'"));
  EXPECT_THAT(refusal("CARD01", kMedium - 1), HasSubstr("is larger than `max_bytes:`"));
}

TEST_F(UsbStorageTest, WhatTheHostUsesIsRefused) {
  const auto name = disk();
  ProcessOptions options;
  options.program = "sh";
  options.arguments = {"-c", "mkswap -q /dev/" + name + " && swapon /dev/" + name};
  options.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  const auto swapped = run_process(options, Deadline::in(30s));
  ASSERT_EQ(swapped.status.code, 0) << swapped.output;
  EXPECT_THAT(refusal("CARD01", kMedium), HasSubstr(name + " is swap space of this host"));
  options.arguments = {"-c", "swapoff /dev/" + name};
  EXPECT_EQ(run_process(options, Deadline::in(30s)).status.code, 0);
}

TEST_F(UsbStorageTest, AnUnplugWhileItIsWrittenSaysHowFarItCame) {
  std::ofstream(program_ / "image", std::ios::binary) << std::string(20u << 20, 'x');
  const auto name = disk();
  const auto child = ChildProcess::start(program_.command({"flash", "d", "--image", "image"}));
  const Deadline deadline = Deadline::in(120s);
  while (medium(4096, 1) != "x" && child->running() && !deadline.expired()) wait_until(deadline.at_most(1ms));
  gadget_->unplug();
  const auto status = child->wait(deadline);
  ASSERT_TRUE(status) << "it hangs";
  EXPECT_EQ(status->code, 3) << child->output();
  EXPECT_THAT(child->output(), HasSubstr("the device has gone"));
  EXPECT_THAT(child->output(), HasSubstr(" of 20971520 bytes had been written"));
}

}  // namespace
}  // namespace hilcop
