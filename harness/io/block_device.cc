// SPDX-License-Identifier: Apache-2.0
#include "io/block_device.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/deadline.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "io/block_users.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kForgotten = 3s;

std::string attribute(const DeviceTree& tree, const std::string& kernel_name, const std::string& name) {
  return sysfs_text(tree.sys / "class/block" / kernel_name / name);
}

// Linux 5.15 counts disks: a number is given once, whatever names and device numbers come again. An older kernel shows none.
bool is_same_disk(int fd, const std::string& shown) {
  std::uint64_t number = 0;
  return shown.empty() || ::ioctl(fd, BLKGETDISKSEQ, &number) != 0 || std::to_string(number) == shown;
}

class DirectDevice final : public BlockDevice {
 public:
  DirectDevice(UniqueFd fd, std::string name, std::uint64_t size, std::size_t block, std::filesystem::path attributes)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size), block_(block), attributes_(std::move(attributes)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  std::size_t block_size() const override { return block_; }

  void write_at(std::uint64_t offset, std::span<const std::byte> bytes) override {
    each("write", offset, bytes.size(), [&](std::size_t done) {
      return ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    });
  }
  void read_at(std::uint64_t offset, std::span<std::byte> bytes) override {
    each("read", offset, bytes.size(),
         [&](std::size_t done) { return ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done)); });
  }
  // O_DIRECT goes past this host's cache, but not past the device's own: fsync has the kernel send it a flush.
  void sync() override {
    if (::fsync(fd_.get()) != 0) throw failed(errno, "flush its cache");
    ::ioctl(fd_.get(), BLKFLSBUF, 0);  // what somebody else's buffered reads left behind; refused to a plain user, harmless then
  }

 private:
  template <typename Call>
  void each(const char* what, std::uint64_t offset, std::size_t size, const Call& call) {
    for (std::size_t done = 0; done < size;) {
      errno = 0;
      const auto n = call(done);
      if (n > 0)
        done += static_cast<std::size_t>(n);
      else if (n == 0 || errno != EINTR)
        throw failed(n == 0 ? ENOSPC : errno, std::string(what) + " at byte " + std::to_string(offset + done));
    }
  }

  // The kernel says EIO for a stick that was pulled and for a cell that is worn out: that sysfs forgets it tells them apart, which takes
  // it some ms after the error (measured).
  bool has_gone(int why) const {
    if (why == ENODEV || why == ENXIO || why == ENOMEDIUM) return true;
    const Deadline forgotten = Deadline::in(why == EIO ? kForgotten : 0s);
    std::error_code none;
    while (std::filesystem::exists(attributes_ / "size", none)) {
      if (forgotten.expired()) return false;
      wait_until(forgotten.at_most(10ms));
    }
    return true;
  }

  Error failed(int why, const std::string& what) const {
    const std::string cause = what + ": ";
    const bool gone = has_gone(why);
    if (gone) return {ErrorKind::Disconnected, name_, cause + "the device has gone", "plug it in again; what it holds now is not whole"};
    if (why == EPERM || why == EROFS || why == EACCES)
      return {ErrorKind::PermissionDenied, name_, cause + "it is write-protected", "move the lock of the card or its adapter"};
    return {ErrorKind::Protocol, name_, cause + std::strerror(why), "the medium may be worn out, or smaller than it says"};
  }

  UniqueFd fd_;
  std::string name_;
  std::uint64_t size_;
  std::size_t block_;
  std::filesystem::path attributes_;
};

}  // namespace

AlignedBuffer::AlignedBuffer(std::size_t size) : size_(size) {
  const std::size_t whole = (size + BlockDevice::kAlignment - 1) / BlockDevice::kAlignment * BlockDevice::kAlignment;
  data_.reset(static_cast<std::byte*>(std::aligned_alloc(BlockDevice::kAlignment, whole)));
  if (!data_) throw std::bad_alloc();
}
void AlignedBuffer::Free::operator()(std::byte* data) const { std::free(data); }

std::unique_ptr<BlockDevice> open_block_device(const std::string& kernel_name, const std::string& what, std::uint64_t max_bytes,
                                               const DeviceTree& tree, const std::function<void()>& still_it) {
  const auto node = tree.dev / kernel_name;
  const std::string object = node.string() + " (" + what + ")";
  if (const auto use = host_use_of(kernel_name, tree); !use.empty())
    throw Error(ErrorKind::Busy, object, "is in use by this host: " + use, "unmount it, and see that it is the device that you mean");
  UniqueFd fd(::open(node.c_str(), O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC));
  if (!fd && (errno == EROFS || errno == EACCES) && attribute(tree, kernel_name, "ro") == "1")
    fd.reset(::open(node.c_str(), O_RDONLY | O_DIRECT | O_EXCL | O_CLOEXEC));  // it can be dumped
  if (!fd && errno == EBUSY)
    throw Error(ErrorKind::Busy, object, "is in use: the kernel gives it to nobody else",
                "see what holds it (lsblk, other containers), and unmount it there");
  if (!fd && errno == ENOMEDIUM)
    throw Error(ErrorKind::NotFound, object, "has no medium", "put the card in, or switch the mux to the host");
  if (!fd) throw error_from_errno(errno, object, "open");
  struct stat info {};
  ::fstat(fd.get(), &info);
  // The node may be stale, or another device may have got the name since it was found.
  const std::string number = std::to_string(::major(info.st_rdev)) + ":" + std::to_string(::minor(info.st_rdev));
  if (!S_ISBLK(info.st_mode) || number != attribute(tree, kernel_name, "dev") ||
      !is_same_disk(fd.get(), attribute(tree, kernel_name, "diskseq")))
    throw Error(ErrorKind::Disconnected, object, "is not the device that was found", "see whether it was plugged in again meanwhile");
  if (still_it) still_it();
  std::uint64_t size = 0;
  int block = 0;
  if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0 || ::ioctl(fd.get(), BLKSSZGET, &block) != 0)
    throw error_from_errno(errno, object, "ask for its size");
  if (size == 0) throw Error(ErrorKind::NotFound, object, "has no medium", "put the card in, or switch the mux to the host");
  const std::string name = node.string() + " (" + what + ", " + std::to_string(size) + " bytes)";
  if (size > max_bytes)
    throw Error(ErrorKind::Config, name, "is larger than `max_bytes:` " + std::to_string(max_bytes) + " allows",
                "see that it is the device that you mean, then raise `max_bytes:` in lab-config");
  return std::make_unique<DirectDevice>(std::move(fd), name, size, static_cast<std::size_t>(block), tree.sys / "class/block" / kernel_name);
}

}  // namespace hilcop
