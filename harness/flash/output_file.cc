// SPDX-License-Identifier: Apache-2.0
#include "flash/output_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace hilcop {

std::filesystem::path output_place(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  const std::string object = "file " + path.string();
  std::error_code none;
  const bool there = fs::exists(path, none);
  const bool dangling = !there && fs::is_symlink(fs::symlink_status(path, none));
  if (dangling || (there && !fs::is_regular_file(path, none)))
    throw Error(ErrorKind::Config, object, dangling ? "is a link that leads nowhere" : "is there and is no file",
                "name a file, which may be there already");
  auto place = there ? fs::canonical(path) : path;
  const auto folder = place.parent_path();
  if (!fs::is_directory(folder, none)) throw Error(ErrorKind::Config, object, "there is no folder " + folder.string(), "make it");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) throw error_from_errno(errno, object, "write into its folder");
  return place;
}

OutputFile::OutputFile(std::filesystem::path path)
    : path_(std::move(path)),
      part_(path_.string() + ".part-" + std::to_string(::getpid())),
      object_("file " + path_.string()),
      fd_(::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (!fd_) throw error_from_errno(errno, object_, "make " + part_.string());
}

OutputFile::~OutputFile() {
  if (fd_) ::unlink(part_.c_str());
}

void OutputFile::reserve(std::uint64_t bytes) {
  struct statvfs space {};
  if (::fstatvfs(fd_.get(), &space) != 0) return;
  const std::uint64_t free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  if (bytes > free)
    throw Error(ErrorKind::Exhausted, object_,
                "needs " + std::to_string(bytes) + " bytes, and its disk has " + std::to_string(free) + " left",
                "free disk space, or name a place with more");
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) throw error_from_errno(errno, object_, "write");
    if (n > 0) bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void OutputFile::finish() {
  if (::fsync(fd_.get()) != 0) throw error_from_errno(errno, object_, "write");
  if (::rename(part_.c_str(), path_.c_str()) != 0) throw error_from_errno(errno, object_, "put in its place");
  fd_.reset();
}

}  // namespace hilcop
