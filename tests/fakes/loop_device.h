// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "io/unique_fd.h"

namespace hilcop {

/// A disk of the kernel over a file: a loop device. Goes with this object.
class LoopDevice {
 public:
  /// nullopt where this user or this kernel has none.
  static std::optional<LoopDevice> over(const std::filesystem::path& file, std::uint64_t size, bool read_only = false) {
    std::ofstream(file, std::ios::binary) << "";
    std::filesystem::resize_file(file, size);
    const UniqueFd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const UniqueFd backing(::open(file.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    for (int tries = 0; control && backing && tries < 20; ++tries) {
      const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
      if (number < 0) break;
      LoopDevice device;
      device.name_ = "loop" + std::to_string(number);
      device.fd_.reset(::open(("/dev/" + device.name_).c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
      if (!device.fd_) break;
      loop_config config{};
      config.fd = static_cast<__u32>(backing.get());
      config.block_size = 512;
      config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
      if (read_only) config.info.lo_flags |= LO_FLAGS_READ_ONLY;
      if (::ioctl(device.fd_.get(), LOOP_CONFIGURE, &config) == 0) return device;
    }
    return std::nullopt;
  }
  const std::string& name() const { return name_; }
  std::string number() const { return "7:" + name_.substr(4); }

 private:
  std::string name_;
  UniqueFd fd_;
};

}  // namespace hilcop
