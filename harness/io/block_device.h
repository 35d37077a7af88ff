// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "io/device_tree.h"

namespace hilcop {

/// A disk, open for this process alone. Calls block as long as the kernel's own limits for the device let them (for USB 30 s a try):
/// keep the pieces small and look at the deadline between them. Not thread-safe.
class BlockDevice {
 public:
  virtual ~BlockDevice() = default;
  /// For errors and the record: "/dev/sdb (USB 1-1.2, serial A1B2, 7948206080 bytes)".
  virtual const std::string& name() const = 0;
  virtual std::uint64_t size() const = 0;
  /// Offsets and lengths of reads and writes are multiples of it, addresses are aligned to kAlignment.
  virtual std::size_t block_size() const = 0;
  /// All of it or an Error, whose context says how far it came: Disconnected when the device has gone, Protocol when it is there and
  /// refuses, PermissionDenied when it is write-protected.
  virtual void write_at(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  virtual void read_at(std::uint64_t offset, std::span<std::byte> bytes) = 0;
  /// What was written has reached the medium, and the next read asks the device and no cache of this host.
  virtual void sync() = 0;

  static constexpr std::size_t kAlignment = 4096;
};

/// Memory that direct I/O can use.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size);
  std::span<std::byte> bytes() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_;
};

/// Opens the disk `kernel_name` ("sdb") past every cache and for this process alone. Refused, before anything is written, when it or a
/// partition of it is mounted, is swap, or is part of an md, dm or other device (Error{Busy} says which); when there is no medium
/// (NotFound); when it is larger than `max_bytes` (Config); when it is no longer what the kernel shows by that name (Disconnected). `what`:
/// how it was found, for its name: "USB 1-1.2, serial A1B2". `still_it`: called as soon as it is open; throws unless the name still
/// leads to the disk that is meant: once it is open its name goes to no other.
std::unique_ptr<BlockDevice> open_block_device(const std::string& kernel_name, const std::string& what, std::uint64_t max_bytes,
                                               const DeviceTree& tree = {}, const std::function<void()>& still_it = {});

}  // namespace hilcop
