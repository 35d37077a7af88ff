// SPDX-License-Identifier: Apache-2.0
// An adapter that was unplugged and comes back: known by what it is, not by its number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/device_files.h"
#include "fakes/error_of.h"
#include "fakes/memory_sink.h"
#include "fakes/pty_port.h"
#include "io/serial_selector.h"
#include "io/serial_stream.h"

namespace hilcop {
namespace {

class SerialReplugTest : public testing::Test {
 protected:
  // libserialport wants names below /dev (see fakes/pty_port.h).
  DeviceTree tree() const { return {files_->tree().sys, "/dev/../../.." + files_->tree().dev.string()}; }
  void plug(const std::string& path, const std::string& name, const std::string& serial, const PtyPort& port, int address = 5) const {
    std::map<std::string, std::string> attributes{{"idVendor", "0403"}, {"idProduct", "6001"}};
    if (!serial.empty()) attributes["serial"] = serial;
    files_->usb(path, address, attributes);
    files_->tty(name, files_->interface(path, 0, "ffffff", "ftdi_sio") / name, "ftdi_sio");
    std::filesystem::remove(*files_ / ("dev/" + name));
    files_->link(*files_ / ("dev/" + name), port.terminal());
  }
  std::unique_ptr<ByteStream> open(const SerialSelector& selector) const {
    return open_selected_serial_stream(selector, {}, "console", tree());
  }
  std::unique_ptr<DeviceFiles> files_ = std::make_unique<DeviceFiles>();
};

TEST_F(SerialReplugTest, AtAnotherSocketAndUnderAnotherNumberItIsTheSame) {
  auto before = std::make_unique<PtyPort>();
  PtyPort after;
  plug("1-1", "ttyUSB0", "A1B2", *before);
  const SerialSelector selector{.serial = "A1B2"};
  std::mutex mutex;
  MemorySink sink;
  const auto loop = IoLoop::start();
  ConsoleOptions options;
  options.source = "board1/main";
  auto stream = open(selector);
  options.reopen = [&, name = stream->name()] {
    const std::scoped_lock lock(mutex);
    auto again = open(selector);
    EXPECT_EQ(again->name(), name);
    return again;
  };
  const auto console = Console::open(std::move(stream), options, *loop, sink);
  {
    const std::scoped_lock lock(mutex);
    files_ = std::make_unique<DeviceFiles>();
    before->unplug();
  }
  const Deadline deadline = Deadline::in(5s);
  while (console->gaps_since(0).empty() && !deadline.expired()) wait_until(deadline.at_most(5ms));
  {
    const std::scoped_lock lock(mutex);
    plug("1-4.2", "ttyUSB3", "A1B2", after);
  }
  after.says("back");
  const std::array patterns{Pattern::literal("back")};
  EXPECT_NO_THROW(console->expect(patterns, Deadline::in(5s)));
  const auto gaps = console->gaps_since(0);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[1].detail, "opened again");
}

TEST_F(SerialReplugTest, AnotherAdapterIsNotTakenForIt) {
  const PtyPort port;
  plug("1-1", "ttyUSB0", "A1B2", port);
  const auto name = open({.path = "1-1"})->name();
  files_ = std::make_unique<DeviceFiles>();
  plug("1-1", "ttyUSB0", "OTHER", port);
  EXPECT_NE(open({.path = "1-1"})->name(), name);
}

// Without a serial number only the socket tells which of two it is.
TEST_F(SerialReplugTest, WithoutASerialNumberAnotherSocketIsAnotherAdapter) {
  const PtyPort port;
  plug("1-1", "ttyUSB0", "", port);
  const auto name = open({.vid_pid = "0403:6001"})->name();
  files_ = std::make_unique<DeviceFiles>();
  plug("1-2", "ttyUSB0", "", port);
  EXPECT_NE(open({.vid_pid = "0403:6001"})->name(), name);
}

// By its node alone it is known no better: the kernel gives ttyUSB0 to whichever comes first.
TEST_F(SerialReplugTest, ANodeMayBeAnotherAdaptersAfterwards) {
  const PtyPort port, other;
  const auto name_at = [&](const std::string& path, const std::string& serial) {
    files_ = std::make_unique<DeviceFiles>();
    plug(path, "ttyUSB0", serial, port);
    return open_serial_stream(tree().dev / "ttyUSB0", {}, "", tree())->name();
  };
  EXPECT_THAT(name_at("1-1", ""), testing::EndsWith("ttyUSB0 (0403:6001 at 1-1)"));
  EXPECT_NE(name_at("1-1", ""), name_at("1-2", ""));
  EXPECT_THAT(name_at("1-1", "A1B2"), testing::EndsWith("ttyUSB0 (0403:6001 serial A1B2)")) << "its own serial number says enough";
  // Clones of one adapter bear one serial number.
  const auto twin_at = [&](const std::string& path, const std::string& other_path) {
    files_ = std::make_unique<DeviceFiles>();
    plug(path, "ttyUSB0", "0001", port);
    plug(other_path, "ttyUSB1", "0001", other, 6);
    return open_serial_stream(tree().dev / "ttyUSB0", {}, "", tree())->name();
  };
  EXPECT_NE(twin_at("1-1", "1-2"), twin_at("1-2", "1-1"));
}

}  // namespace
}  // namespace hilcop
