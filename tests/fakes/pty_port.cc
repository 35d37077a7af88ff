// SPDX-License-Identifier: Apache-2.0
#include "fakes/pty_port.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace {

struct Line {
  std::atomic<int> modem{0}, breaks{0};
  std::atomic<bool> tx_low{false}, counts{true};
  hilcop::LineErrors errors;
};
// Shared with what is forked: a keeper in a process of its own moves the lines that the test looks at.
auto& lines = *static_cast<std::array<Line, 4096>*>(
    ::mmap(nullptr, sizeof(std::array<Line, 4096>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

// The pts number of a descriptor, or -1 (Unix98 slaves: majors 136 to 143).
int pts_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISCHR(info.st_mode)) return -1;
  const auto number = major(info.st_rdev);
  return number >= 136 && number <= 143 ? static_cast<int>((number - 136) * 256 + minor(info.st_rdev)) : -1;
}

bool answer(int fd, unsigned long request, void* argument) {
  if (request != TIOCSBRK && request != TIOCCBRK && request != TIOCMGET && request != TIOCMSET && request != TIOCMBIS &&
      request != TIOCMBIC && request != TIOCGICOUNT)
    return false;
  const int index = pts_of(fd);
  if (index < 0 || index >= static_cast<int>(lines.size())) return false;
  auto& line = lines[static_cast<std::size_t>(index)];
  if (request == TIOCGICOUNT && !line.counts) return false;  // the kernel's pty does not know it
  int* bits = static_cast<int*>(argument);
  if (request == TIOCSBRK || request == TIOCCBRK) line.tx_low = request == TIOCSBRK;
  if (request == TIOCSBRK) ++line.breaks;
  if (request == TIOCMGET) *bits = line.modem;
  if (request == TIOCMSET) line.modem = *bits;
  if (request == TIOCMBIS) line.modem |= *bits;
  if (request == TIOCMBIC) line.modem &= ~*bits;
  if (request == TIOCGICOUNT) {
    auto& counted = *static_cast<serial_icounter_struct*>(argument) = {};
    counted.frame = line.errors.frame;
    counted.overrun = line.errors.overrun;
    counted.parity = line.errors.parity;
    counted.brk = line.errors.brk;
    counted.buf_overrun = line.errors.buf_overrun;
  }
  return true;
}

}  // namespace

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  static const auto real = reinterpret_cast<int (*)(int, unsigned long, ...)>(::dlsym(RTLD_NEXT, "ioctl"));
  return answer(fd, request, argument) ? 0 : real(fd, request, argument);
}

namespace hilcop {

PtyPort::PtyPort() : device_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  std::array<char, 64> name{};
  if (!device_ || ::grantpt(device_.get()) != 0 || ::unlockpt(device_.get()) != 0 ||
      ::ptsname_r(device_.get(), name.data(), name.size()) != 0)
    throw std::runtime_error("no pseudo-terminal");
  terminal_ = name.data();
  index_ = std::stoi(terminal_.substr(terminal_.rfind('/') + 1));
  auto& line = lines.at(static_cast<std::size_t>(index_));
  std::destroy_at(&line);
  std::construct_at(&line);
  std::filesystem::create_symlink(terminal_, dir_ / "dut");
}

void PtyPort::says(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(device_.get(), bytes.data(), bytes.size());
    if (n <= 0) throw std::runtime_error("the pseudo-terminal takes nothing");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string PtyPort::hears(std::size_t bytes) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < bytes) {
    pollfd entry{device_.get(), POLLIN, 0};
    if (::poll(&entry, 1, 20'000) <= 0) break;
    const auto n = ::read(device_.get(), buffer.data(), std::min(buffer.size(), bytes - text.size()));
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

int PtyPort::breaks() const { return lines.at(static_cast<std::size_t>(index_)).breaks; }
bool PtyPort::tx_low() const { return lines.at(static_cast<std::size_t>(index_)).tx_low; }
int PtyPort::modem_lines() const { return lines.at(static_cast<std::size_t>(index_)).modem; }
void PtyPort::counts_nothing() { lines.at(static_cast<std::size_t>(index_)).counts = false; }
LineErrors& PtyPort::errors() { return lines.at(static_cast<std::size_t>(index_)).errors; }

}  // namespace hilcop
