// SPDX-License-Identifier: Apache-2.0
// `hilcop flash` by the real dfu-util, to a device that the kernel sees at its virtual host controller.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "realusb/flash_program.h"
#include "realusb/vhci_port.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

constexpr std::size_t kTransfer = 1024;

/// Universal Serial Bus Device Class Specification for Device Firmware Upgrade 1.1, 6 and appendix A. Beside it an interface of a class
/// that the kernel takes, by which it is known that the device is there.
class EmulatedDfu final : public EmulatedUsb {
 public:
  bool can_upload = true;
  std::size_t damages = ~std::size_t{0};  // this byte is kept wrong
  Bytes memory;

  Bytes device_descriptor() const override { return {18, 1, 0, 2, 0, 0, 0, 64, 0x83, 0x04, 0x11, 0xdf, 0, 1, 1, 2, 3, 1}; }
  std::vector<std::string> strings() const override { return {"hilcop", "test DFU", "DFU0001", "firmware"}; }
  Bytes report_descriptor() const override {
    return {0x06, 0, 0xff, 0x09, 1, 0xa1, 1, 0x15, 0, 0x26, 0xff, 0, 0x75, 8, 0x95, 8, 0x09, 0, 0xb2, 2, 1, 0xc0};
  }
  Bytes configuration() const override {
    const auto report = static_cast<std::uint8_t>(report_descriptor().size());
    const auto attributes = static_cast<std::uint8_t>(can_upload ? 0x07 : 0x05);  // download, upload, tolerates manifestation
    return {9,
            2,
            52,
            0,
            2,
            1,
            0,
            0x80,
            10,
            9,
            4,
            0,
            0,
            1,
            3,
            0,
            0,
            0,
            9,
            0x21,
            1,
            1,
            0,
            1,
            0x22,
            report,
            0,
            7,
            5,
            0x81,
            3,
            8,
            0,
            20,  //
            9,
            4,
            1,
            0,
            0,
            0xfe,
            1,
            2,
            4,
            9,
            0x21,
            attributes,
            0xff,
            0,
            kTransfer & 0xff,
            kTransfer >> 8,
            0x10,
            1};
  }
  std::optional<Bytes> answer(const UsbSetup& setup, const Bytes& out) override {
    if ((setup.index & 0xff) != 1) return setup.in() ? std::optional(Bytes(setup.length)) : std::optional(Bytes{});
    switch (setup.request) {
      case 1:
        return download(setup.value, out);
      case 2:
        return upload(setup.value, setup.length);
      case 3:
        if (state_ == 3) state_ = 5;  // dfuDNLOAD-SYNC is over when it is asked for
        if (state_ == 6) state_ = 2;  // dfuMANIFEST-SYNC, too
        return Bytes{0, 0, 0, 0, state_, 0};
      case 5:
        return Bytes{state_};
      default:
        state_ = 2;
        return Bytes{};  // CLRSTATUS, ABORT
    }
  }

 private:
  std::optional<Bytes> download(std::size_t block, const Bytes& out) {
    if (out.empty()) {
      state_ = 6;
      return Bytes{};
    }
    if (block == 0) memory.clear();
    memory.insert(memory.end(), out.begin(), out.end());
    if (damages < memory.size()) memory[damages] = static_cast<std::uint8_t>(~memory[damages]);
    if (damages < memory.size()) damages = ~std::size_t{0};
    state_ = 3;
    return Bytes{};
  }
  std::optional<Bytes> upload(std::size_t block, std::size_t length) {
    if (!can_upload) return std::nullopt;
    const auto begin = std::min(block * kTransfer, memory.size());
    const auto end = std::min(begin + length, memory.size());
    state_ = end - begin < length ? 2 : 9;
    return Bytes(memory.begin() + static_cast<std::ptrdiff_t>(begin), memory.begin() + static_cast<std::ptrdiff_t>(end));
  }

  std::uint8_t state_ = 2;  // dfuIDLE
};

class DfuTest : public testing::Test {
 protected:
  void SetUp() override {
    for (std::size_t i = 0; i < 20'007; ++i) image_ += static_cast<char>(i * 31 ^ i >> 9);
    program_.write("image", image_);
    program_.write("board.yaml",
                   "board: b\nflash: [{ name: fw, timeout_s: 60, dfu: { device: '0483:df11', alt: firmware, reset: false } }]\n"
                   "dump: [{ name: fw, dfu: { device: '0483:df11', alt: firmware, reset: false } }]\n");
  }
  void plug(int port) {
    port_.emplace(device_, VhciPort::Speed::Full, port);
    bench("serial: DFU0001, usb_path: '" + port_->path() + "'");
  }
  void bench(const std::string& values) const {
    program_.write("bench.yaml", "bench: b\ninstruments: {}\nduts: { d: { board: board.yaml, flash_values: { " + values + " } } }\n");
  }
  ProcessResult flash(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"flash", "d", "--image", "image"});
    return program_.run(more);
  }

  FlashProgram program_;
  std::shared_ptr<EmulatedDfu> device_ = std::make_shared<EmulatedDfu>();
  std::optional<VhciPort> port_;
  std::string image_;
};

TEST_F(DfuTest, IsWrittenUploadedAgainAndCompared) {
  plug(4);
  const auto done = flash();
  ASSERT_EQ(done.status.code, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("verified: uploaded again"));
  EXPECT_TRUE(std::equal(image_.begin(), image_.end(), device_->memory.begin(), device_->memory.end(),
                         [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
  const auto dumped = program_.run({"dump", "d", "--out", "out"});
  ASSERT_EQ(dumped.status.code, 0) << dumped.output;
  EXPECT_THAT(dumped.output, HasSubstr("verified: second read, SHA-256"));
  EXPECT_EQ(std::filesystem::file_size(program_ / "out"), image_.size());
}

TEST_F(DfuTest, AByteThatItKeepsWrongIsFound) {
  device_->damages = 12'345;
  plug(5);
  const auto done = flash();
  EXPECT_EQ(done.status.code, 3) << done.output;
  EXPECT_THAT(done.output, HasSubstr("uploaded again: it differs from the image from byte 12345 on"));
}

TEST_F(DfuTest, ADeviceThatCannotUploadIsNotCalledVerified) {
  device_->can_upload = false;
  plug(4);
  const auto done = flash();
  EXPECT_EQ(done.status.code, 3) << done.output;
  EXPECT_EQ(done.output.find("verified:"), std::string::npos) << done.output;
}

TEST_F(DfuTest, AnotherOneThanIsMeantIsLeftAlone) {
  plug(5);
  bench("serial: DFU0002, usb_path: '" + port_->path() + "'");
  const auto done = flash({"--timeout", "3"});
  EXPECT_EQ(done.status.code, 3) << done.output;
  EXPECT_TRUE(device_->memory.empty());
}

}  // namespace
}  // namespace hilcop
