// SPDX-License-Identifier: Apache-2.0
#include "io/serial_stream.h"

#include <fcntl.h>
#include <libserialport.h>
#include <linux/serial.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/interrupt.h"
#include "io/device_users.h"
#include "io/serial_ports.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

struct FreePort {
  void operator()(sp_port* port) const {
    sp_close(port);
    sp_free_port(port);
  }
};
struct FreeConfig {
  void operator()(sp_port_config* config) const { sp_free_config(config); }
};
using Port = std::unique_ptr<sp_port, FreePort>;

Error busy(const std::string& object, const std::string& users) {
  return {ErrorKind::Busy, object, "is in use" + (users.empty() ? std::string() : " by " + users),
          "close that program: two readers would share out the bytes"};
}

// At once: a port that was closed echoes what it receives, and a boot loader takes its own banner for a key.
void stop_echo(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return;
  ::cfmakeraw(&settings);
  ::tcsetattr(fd, TCSANOW, &settings);
}

// libserialport sets HUPCL; closing must not move DTR: it may reset the board.
void keep_lines_on_close(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return;
  settings.c_cflag &= ~static_cast<tcflag_t>(HUPCL);
  ::tcsetattr(fd, TCSANOW, &settings);
}

// Ours alone, before libserialport touches it: 0.1.1 locks nothing, and would change the settings under another program.
UniqueFd claim(const std::string& port, const std::string& object) {
  UniqueFd fd(::open(port.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!fd) {
    const int why = errno;
    if (why == EBUSY && ::stat(port.c_str(), &info) == 0) throw busy(object, other_users_of(info.st_rdev));
    throw error_from_errno(why, object, "open");
  }
  if (::isatty(fd.get()) == 0)
    throw Error(ErrorKind::Config, object, "is no serial port", "name the port of the adapter, such as /dev/ttyUSB0");
  ::fstat(fd.get(), &info);
  // flock keeps out those who ask for it, also root, whom TIOCEXCL does not stop; looking keeps out those who ask for nothing.
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) throw busy(object, other_users_of(info.st_rdev));
  if (const auto users = other_users_of(info.st_rdev); !users.empty()) throw busy(object, users);
  stop_echo(fd.get());
  return fd;
}

Port find_port(const std::string& name, const std::string& object) {
  sp_port* port = nullptr;
  // 0.1.1 takes names under /dev alone, and no links: /dev/serial/by-id/... has to be followed for it.
  if (sp_get_port_by_name(name.c_str(), &port) == SP_OK) return Port(port);
  std::error_code error;
  const auto target = std::filesystem::canonical(name, error);
  if (!error && sp_get_port_by_name(target.c_str(), &port) == SP_OK) return Port(port);
  throw Error(ErrorKind::Unsupported, object, "libserialport knows no such serial port",
              "name a port of a serial adapter; a pseudo-terminal is none");
}

// After a replug the node may be another adapter's: what has no serial number of its own is known by its socket alone.
std::string name_of(const std::string& port_name, const DeviceTree& tree) {
  std::error_code none;
  const auto node = std::filesystem::canonical(port_name, none);
  if (none) return port_name;
  for (const auto& port : serial_ports(tree)) {
    if (!port.usb || std::filesystem::canonical(port.node.path, none) != node) continue;
    std::string what = vid_pid(*port.usb) + (port.usb->serial.empty() ? "" : " serial " + port.usb->serial);
    if (port.usb->serial.empty() || port.twin) what += " at " + port.usb->path;
    if (port.usb_interface != 0) what += " interface " + std::to_string(port.usb_interface);
    return port_name + " (" + what + ")";
  }
  return port_name;
}

sp_parity parity_of(Parity parity) {
  switch (parity) {
    case Parity::None:
      return SP_PARITY_NONE;
    case Parity::Odd:
      return SP_PARITY_ODD;
    case Parity::Even:
      return SP_PARITY_EVEN;
    case Parity::Mark:
      return SP_PARITY_MARK;
    case Parity::Space:
      return SP_PARITY_SPACE;
  }
  return SP_PARITY_NONE;
}

void configure(sp_port* port, const SerialSettings& settings, const std::string& object) {
  sp_port_config* made = nullptr;
  if (sp_new_config(&made) != SP_OK) throw Error(ErrorKind::Exhausted, object, "no memory for its settings");
  const std::unique_ptr<sp_port_config, FreeConfig> config(made);
  const bool hardware = settings.flow == FlowControl::RtsCts;
  sp_set_config_baudrate(made, settings.baud);
  sp_set_config_bits(made, settings.data_bits);
  sp_set_config_parity(made, parity_of(settings.parity));
  sp_set_config_stopbits(made, settings.stop_bits);
  if (hardware || settings.rts) sp_set_config_rts(made, hardware ? SP_RTS_FLOW_CONTROL : *settings.rts ? SP_RTS_ON : SP_RTS_OFF);
  sp_set_config_cts(made, hardware ? SP_CTS_FLOW_CONTROL : SP_CTS_IGNORE);
  if (settings.dtr) sp_set_config_dtr(made, *settings.dtr ? SP_DTR_ON : SP_DTR_OFF);
  sp_set_config_dsr(made, SP_DSR_IGNORE);
  sp_set_config_xon_xoff(made, settings.flow == FlowControl::XonXoff ? SP_XONXOFF_INOUT : SP_XONXOFF_DISABLED);
  if (sp_set_config(port, made) != SP_OK)
    throw Error(ErrorKind::Config, object,
                "the adapter refuses " + std::to_string(settings.baud) + " baud, " + std::to_string(settings.data_bits) + " data bits, " +
                    std::to_string(settings.stop_bits) + " stop bits, its parity or its flow control",
                "give settings that this adapter has");
}

class SerialStream final : public ByteStream {
 public:
  SerialStream(UniqueFd lock, Port port, int fd, std::string name)
      : lock_(std::move(lock)), port_(std::move(port)), fd_(fd), name_(std::move(name)) {
    first_ = raw_counters();
  }
  const std::string& name() const override { return name_; }
  std::string remark() const override { return first_ ? "" : "this adapter's driver counts no line errors"; }
  int fd() const override { return fd_; }

  std::size_t read_some(std::span<std::byte> into) override {
    const int n = sp_nonblocking_read(port_.get(), into.data(), into.size());
    if (n < 0) throw gone();
    // An unplugged adapter reads as empty for ever; only poll tells (measured on ttyUSB and ttyACM).
    if (n == 0 && hung_up()) throw gone();
    return static_cast<std::size_t>(n);
  }

  std::size_t write_some(std::span<const std::byte> bytes) override {
    errno = 0;
    const int n = sp_nonblocking_write(port_.get(), bytes.data(), bytes.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;  // libserialport 0.1.1 calls a full buffer a failure
    if (n < 0) throw gone();
    return static_cast<std::size_t>(n);
  }

  void check_present() override {
    if (sp_input_waiting(port_.get()) < 0 || hung_up()) throw gone();
  }

  void set_line(ModemLine line, bool asserted) override {
    const auto done = line == ModemLine::Dtr ? sp_set_dtr(port_.get(), asserted ? SP_DTR_ON : SP_DTR_OFF)
                                             : sp_set_rts(port_.get(), asserted ? SP_RTS_ON : SP_RTS_OFF);
    if (done != SP_OK) throw failed(line == ModemLine::Dtr ? "the line DTR" : "the line RTS");
  }

  void send_break(std::chrono::milliseconds length) override {
    if (sp_start_break(port_.get()) != SP_OK) throw failed("a break");
    try {
      wait_until(Deadline::in(length));
    } catch (...) {
      sp_end_break(port_.get());
      throw;
    }
    if (sp_end_break(port_.get()) != SP_OK) throw failed("the end of a break");
  }

  void hold_break(bool held) override {
    if ((held ? sp_start_break(port_.get()) : sp_end_break(port_.get())) != SP_OK) throw failed("a lasting break");
  }

  std::optional<LineCounters> line_counters() override {
    const auto now = raw_counters();
    if (!now || !first_) return std::nullopt;
    // The kernel's counters are 32 bits since the driver was loaded, and wrap.
    const auto since = [](int before, int after) {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(after) - static_cast<std::uint32_t>(before));
    };
    return LineCounters{since(first_->overrun, now->overrun), since(first_->buf_overrun, now->buf_overrun),
                        since(first_->frame, now->frame), since(first_->parity, now->parity), since(first_->brk, now->brk)};
  }

 private:
  bool hung_up() const {
    pollfd entry{fd_, POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0 && (entry.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  }
  std::optional<serial_icounter_struct> raw_counters() const {
    serial_icounter_struct counters{};
    if (::ioctl(fd_, TIOCGICOUNT, &counters) != 0) return std::nullopt;
    return counters;
  }
  Error gone() const {
    return {ErrorKind::Disconnected, name_, "the serial adapter has gone: it was unplugged, or lost its power",
            "plug it in again and check its cable and hub"};
  }
  Error failed(const std::string& what) const {
    const int why = errno;
    if (hung_up()) return gone();
    if (why == ENOTTY || why == EINVAL || why == EOPNOTSUPP)
      return {ErrorKind::Unsupported, name_, "this adapter cannot give " + what, "use an adapter that can"};
    return error_from_errno(why, name_, "set " + what);
  }

  UniqueFd lock_;  // its flock lasts as long as the stream
  Port port_;
  int fd_;
  std::string name_;
  std::optional<serial_icounter_struct> first_;
};

}  // namespace

UniqueFd claim_serial_port(const std::string& port, const std::string& object) { return claim(port, object); }

std::unique_ptr<ByteStream> open_serial_stream(const std::string& port_name, const SerialSettings& settings, const std::string& known_as,
                                               const DeviceTree& tree) {
  const std::string object = "serial port " + port_name;
  UniqueFd lock = claim(port_name, object);
  Port port = find_port(port_name, object);
  if (sp_open(port.get(), SP_MODE_READ_WRITE) != SP_OK) {
    struct stat info {};
    ::fstat(lock.get(), &info);
    const auto major_number = major(info.st_rdev);
    if (major_number >= 136 && major_number <= 143)
      throw Error(ErrorKind::Unsupported, object, "is a pseudo-terminal: it has no modem lines", "name the port of a serial adapter");
    throw error_from_errno(errno, object, "open");
  }
  int fd = -1;
  sp_get_port_handle(port.get(), &fd);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (::ioctl(fd, TIOCEXCL) != 0) throw error_from_errno(errno, object, "take for this process alone");
  configure(port.get(), settings, object);
  keep_lines_on_close(fd);
  auto name = known_as.empty() ? name_of(port_name, tree) : known_as;
  return std::make_unique<SerialStream>(std::move(lock), std::move(port), fd, std::move(name));
}

}  // namespace hilcop
