// SPDX-License-Identifier: Apache-2.0
#include "files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "crypto.h"
#include "error.h"
#include "fd.h"

namespace ht1 {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& file) {
  throw Failure(what + " " + file.string() + ": " + std::strerror(errno) + "; is the data partition mounted, writable and not full?");
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("cannot write", file);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::optional<std::string> read_if_there(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!fd) fail("cannot read", file);  // it may be there: nobody is to begin anew for that
  std::string bytes;
  char piece[4096];
  while (true) {
    const auto n = ::read(fd.get(), piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read", file);
    if (n == 0) break;
    bytes.append(piece, static_cast<std::size_t>(n));
  }
  return bytes;
}

std::string read_file(const std::filesystem::path& file) {
  auto bytes = read_if_there(file);
  if (!bytes) fail("cannot read", file);
  return *std::move(bytes);
}

void sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) fail("cannot sync", folder);
}

void write_file(const std::filesystem::path& file, std::string_view bytes, Durability durability) {
  const std::filesystem::path fresh = file.string() + ".new";
  {
    // Never through a link that somebody laid there.
    ::unlink(fresh.c_str());
    const Fd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) fail("cannot create", fresh);
    write_all(fd.get(), bytes, fresh);
    if (durability == Durability::Synced && ::fsync(fd.get()) != 0) fail("cannot sync", fresh);
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) fail("cannot rename to", file);
  if (durability == Durability::Synced) sync_folder(file.parent_path());
}

void append_file(const std::filesystem::path& file, std::string_view bytes, Durability durability) {
  const bool is_new = !std::filesystem::exists(file);
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) fail("cannot open", file);
  write_all(fd.get(), bytes, file);
  if (durability != Durability::Synced) return;
  if (::fdatasync(fd.get()) != 0) fail("cannot sync", file);
  if (is_new) sync_folder(file.parent_path());
}

void overwrite_and_remove(const std::filesystem::path& file) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  if (none) return;
  {
    const Fd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd && errno == EACCES) return remove_durably(file);  // somebody else's, such as a bundle that RAUC has taken
    if (!fd) fail("cannot overwrite", file);
    write_all(fd.get(), random_bytes(size), file);
    if (::fsync(fd.get()) != 0) fail("cannot sync", file);
  }
  remove_durably(file);
}

void remove_durably(const std::filesystem::path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) fail("cannot remove", file);
  sync_folder(file.parent_path());
}

}  // namespace ht1
