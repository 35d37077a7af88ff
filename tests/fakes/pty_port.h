// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>

#include <atomic>
#include <string>
#include <string_view>

#include "fakes/temp_dir.h"
#include "io/unique_fd.h"

namespace hilcop {

/// Counters of a serial port, as TIOCGICOUNT gives them. A test may set them while somebody asks.
struct LineErrors {
  std::atomic<int> frame{0}, overrun{0}, parity{0}, brk{0}, buf_overrun{0};
};

/// A pseudo-terminal that passes for a serial port: the test holds the device's end. Linking it gives pseudo-terminals of the
/// test program the modem lines and error counters that libserialport and hilcop ask for, and a kernel pty lacks.
class PtyPort {
 public:
  PtyPort();
  /// A name that libserialport 0.1.1 takes: it wants "/dev/..." that is also found below /sys/class/tty.
  std::string port() const { return "/dev/../../.." + (dir_ / "dut").string(); }
  std::string terminal() const { return terminal_; }  // /dev/pts/N
  void says(std::string_view bytes);
  std::string hears(std::size_t bytes);
  void unplug() { device_.reset(); }
  /// The device's end once more, for who polls it himself; the caller closes it.
  int duplicate() const { return ::fcntl(device_.get(), F_DUPFD_CLOEXEC, 0); }

  int breaks() const;       // begun
  bool tx_low() const;      // a break that lasts
  int modem_lines() const;  // TIOCM_* bits that the harness has set
  LineErrors& errors();     // what TIOCGICOUNT answers
  void counts_nothing();    // from here on TIOCGICOUNT is unknown to its driver

 private:
  TempDir dir_;
  UniqueFd device_;
  std::string terminal_;
  int index_ = 0;
};

}  // namespace hilcop
