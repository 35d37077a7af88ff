// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "io/unique_fd.h"

namespace hilcop {

/// The cable of a virtual board: carries frames between a tap and whatever connects to a unix socket, a 32-bit length before each frame (as
/// QEMU's `-netdev stream` does). One at a time: a second one is refused until the first has
/// gone. Slow readers make frames wait in the tap's queue; nothing is kept here but one frame.
class Cable {
 public:
  /// Listens; the socket is there when this returns. `on_plug` is called from its thread with true when one has connected, before its first
  /// frame, and with false when it has gone. Throws Error.
  Cable(UniqueFd tap, std::filesystem::path socket, std::function<void(bool)> on_plug);
  ~Cable();
  Cable(const Cable&) = delete;
  Cable& operator=(const Cable&) = delete;
  const std::filesystem::path& socket() const { return path_; }
  bool connected() const { return connected_; }

 private:
  void run();
  void accept();
  void from_machine();
  void from_tap();
  void write_out();
  void gone();

  UniqueFd tap_;
  std::function<void(bool)> on_plug_;
  std::filesystem::path path_;
  UniqueFd listener_, machine_, wake_;
  std::vector<std::byte> in_, out_;
  std::size_t filled_ = 0, sent_ = 0;
  std::atomic<bool> connected_{false}, ending_{false};
  std::thread thread_;
};

}  // namespace hilcop
