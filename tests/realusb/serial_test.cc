// SPDX-License-Identifier: Apache-2.0
// Serial adapters on the kernel's own drivers: ftdi_sio and cdc_acm, unplugged while open.
#include <fcntl.h>

#include <array>
#include <fstream>

#include <gtest/gtest.h>

#include "fakes/error_of.h"
#include "io/serial_stream.h"
#include "io/unique_fd.h"
#include "realusb/guest_host.h"

namespace hilcop {
namespace {

std::string hears(ByteStream& stream, std::size_t size) {
  std::string text;
  std::array<std::byte, 256> part{};
  comes_true([&] {
    const auto n = stream.read_some(part);
    text.append(reinterpret_cast<const char*>(part.data()), n);
    return text.size() >= size;
  });
  return text;
}

void says(ByteStream& stream, std::string_view text) { stream.write_some(std::as_bytes(std::span(text))); }

// A CDC-ACM function of the kernel's gadget side, plugged into the kernel's dummy controller.
class AcmGadget {
 public:
  AcmGadget() {
    std::filesystem::create_directory(kGadget);
    put("idVendor", "0x0525");
    put("idProduct", "0xa4a7");
    for (const char* folder : {"strings/0x409", "configs/c.1", "functions/acm.usb0"}) std::filesystem::create_directory(kGadget / folder);
    put("strings/0x409/serialnumber", "SN123");
    std::filesystem::create_symlink(kGadget / "functions/acm.usb0", kGadget / "configs/c.1/acm.usb0");
  }
  void plug() { put("UDC", "dummy_udc.0"); }
  void unplug() { put("UDC", "\n"); }
  ~AcmGadget() {
    unplug();
    std::filesystem::remove(kGadget / "configs/c.1/acm.usb0");
    for (const char* folder : {"functions/acm.usb0", "configs/c.1", "strings/0x409", "."})
      ::rmdir((kGadget / folder).lexically_normal().c_str());
  }

 private:
  static void put(const std::string& file, const std::string& text) { std::ofstream(kGadget / file) << text << std::flush; }
  inline static const std::filesystem::path kGadget = "/sys/kernel/config/usb_gadget/g1";
};

TEST(RealSerial, AnFtdiAdapterIsFoundByItsSerialNumberAndTalks) {
  for (const char* serial : {"FTDI0001", "FTDI0002"}) {
    const auto stream = open_serial_stream(std::string("/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_") + serial + "-if00-port0", {});
    EXPECT_NE(stream->name().find(std::string("0403:6001 serial ") + serial), std::string::npos) << stream->name();
    says(*stream, "hello");
    EXPECT_EQ(hears(*stream, 5), "hello");
  }
}

TEST(RealSerial, AnAcmGadgetTalksAndItsUnplugWhileOpenIsDisconnected) {
  AcmGadget gadget;
  gadget.plug();
  ASSERT_TRUE(comes_true(
      [] { return std::filesystem::exists("/dev/serial/by-id/usb-0525_a4a7_SN123-if00") || std::filesystem::exists("/dev/ttyACM0"); }));
  const auto stream = open_serial_stream("/dev/ttyACM0", {});
  EXPECT_NE(stream->name().find("0525:a4a7 serial SN123"), std::string::npos) << stream->name();
  const UniqueFd device(::open("/dev/ttyGS0", O_RDWR | O_NOCTTY | O_CLOEXEC));
  says(*stream, "abc\n");
  std::array<char, 16> heard{};
  EXPECT_GT(::read(device.get(), heard.data(), heard.size()), 0);
  EXPECT_EQ(heard[0], 'a');
  gadget.unplug();
  const auto error = error_of([&] {
    comes_true([&] {
      stream->check_present();
      return false;
    });
  });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
}

}  // namespace
}  // namespace hilcop
