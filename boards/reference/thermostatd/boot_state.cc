// SPDX-License-Identifier: Apache-2.0
#include "boot_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "error.h"
#include "fd.h"

namespace ht1 {
namespace {

const Variables kUsual = {{"SEQ", "0"},         {"BOOT_ORDER", "A B"}, {"BOOT_A_LEFT", "3"}, {"BOOT_B_LEFT", "3"},
                          {"MIN_VERSION", "0"}, {"NEXT_MIN", "0"},     {"RECOVERED", "0"},   {"RESET", "0"}};

std::uint32_t crc_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::uint64_t sequence(const Variables& variables) {
  std::uint64_t number = 0;
  if (const auto found = variables.find("SEQ"); found != variables.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

Fd open_locked(const std::filesystem::path& disk, int how) {
  Fd fd(::open(disk.c_str(), how | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), (how & O_RDWR) != 0 ? LOCK_EX : LOCK_SH) != 0)
    throw Failure("boot state on " + disk.string() + ": cannot open: " + std::strerror(errno) + "; is --disk right, and may this user?");
  return fd;
}

struct Copy {
  std::size_t place;
  std::optional<Variables> content;
  std::uint64_t seq() const { return content ? sequence(*content) : 0; }
};

Copy read_copy(int fd, std::size_t place) {
  std::string blob(kBootStateSize, '\0');
  const auto n = ::pread(fd, blob.data(), blob.size(), static_cast<off_t>(place));
  return {place, n == static_cast<ssize_t>(blob.size()) ? variables_from_blob(blob) : std::nullopt};
}

Variables newest(const Copy& one, const Copy& other) {
  Variables found = kUsual;
  const Copy& counts = other.content && (!one.content || other.seq() > one.seq()) ? other : one;
  if (counts.content)
    for (const auto& [name, value] : *counts.content) found[name] = value;
  return found;
}

void write_copy(int fd, std::size_t place, const std::string& blob, const std::filesystem::path& disk) {
  if (::pwrite(fd, blob.data(), blob.size(), static_cast<off_t>(place)) != static_cast<ssize_t>(blob.size()) || ::fsync(fd) != 0)
    throw Failure("boot state on " + disk.string() + ": cannot write: " + std::strerror(errno) + "; is the disk whole?");
}

}  // namespace

std::optional<Variables> variables_from_blob(std::string_view blob) {
  if (blob.size() < 6) return std::nullopt;
  std::uint32_t crc = 0;
  std::memcpy(&crc, blob.data(), 4);  // both ends are little-endian
  auto rest = blob.substr(4);
  if (crc != crc_of(rest)) return std::nullopt;
  Variables variables;
  while (!rest.empty() && rest[0] != '\0') {
    const auto end = rest.find('\0');
    const auto line = rest.substr(0, end);
    const auto equals = line.find('=');
    if (end == std::string_view::npos || equals == 0 || equals == std::string_view::npos) return std::nullopt;
    variables.insert_or_assign(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
    rest.remove_prefix(end + 1);
  }
  return variables;
}

std::string blob_of(const Variables& variables) {
  std::string text;
  for (const auto& [name, value] : variables) {
    const bool fits = !name.empty() && (name + value).find('\0') == std::string::npos && name.find('=') == std::string::npos;
    if (!fits) throw Failure("boot state: '" + name + "' is no variable; letters, digits and _ make a name");
    text += name + "=" + value + '\0';
  }
  text += '\0';
  if (text.size() > kBootStateSize - 4) throw Failure("boot state: more than 16 KiB of variables; unset some");
  text.resize(kBootStateSize - 4);
  const std::uint32_t crc = crc_of(text);
  return std::string(reinterpret_cast<const char*>(&crc), 4) + text;
}

Variables BootState::read() const {
  const Fd fd = open_locked(disk_, O_RDONLY);
  return newest(read_copy(fd.get(), kBootStatePlaces[0]), read_copy(fd.get(), kBootStatePlaces[1]));
}

void BootState::change(const std::function<void(Variables&)>& edit) {
  const Fd fd = open_locked(disk_, O_RDWR);
  const Copy one = read_copy(fd.get(), kBootStatePlaces[0]), other = read_copy(fd.get(), kBootStatePlaces[1]);
  Variables variables = newest(one, other);
  edit(variables);
  variables["SEQ"] = std::to_string(sequence(variables) + 1);
  const std::string blob = blob_of(variables);
  // The one that counts is touched last: a cut leaves at least one whole.
  const bool other_counts = other.content && (!one.content || other.seq() > one.seq());
  write_copy(fd.get(), other_counts ? one.place : other.place, blob, disk_);
  write_copy(fd.get(), other_counts ? other.place : one.place, blob, disk_);
}

void BootState::mark_good(const std::string& slot) {
  if (read()["BOOT_" + slot + "_LEFT"] == "3") return;
  change([&](Variables& v) { v["BOOT_" + slot + "_LEFT"] = "3"; });
}

void BootState::set_primary(const std::string& slot) {
  if (slot != "A" && slot != "B") throw Failure("boot state: no slot '" + slot + "'; A and B are");
  change([&](Variables& v) {
    v["BOOT_ORDER"] = slot == "A" ? "A B" : "B A";
    v["BOOT_" + slot + "_LEFT"] = "3";
  });
}

}  // namespace ht1
