// SPDX-License-Identifier: Apache-2.0
#include "bench/lease_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>
#include <set>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/paths.h"
#include "base/users.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

// POSIX record locks belong to the process: a forked child that lives on does not keep them. In turn they do not exclude a
// second holder within the process, and closing any descriptor of the file drops them: so this table, and one open file each.
std::mutex table_mutex;
std::set<std::string> held_here;

std::filesystem::path file_of(const std::string& identity) {
  const auto directory = lease_dir();
  std::string name;
  for (const char c : identity) name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' ? c : '_';
  if (name.size() > 150) name = name.substr(0, 100) + "-" + std::to_string(std::hash<std::string>{}(identity));
  return directory / (name + ".lock");
}

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

LeaseHolder holder_in(int fd) {
  std::string text(1000, '\0');
  const auto n = ::pread(fd, text.data(), text.size(), 0);
  const auto value = nlohmann::json::parse(text.substr(0, n > 0 ? static_cast<std::size_t>(n) : 0), nullptr, false);
  if (!value.is_object()) return {"somebody", 0, "?"};
  return {value.value("holder", "somebody"), value.value("pid", 0), value.value("since", "?")};
}

LeaseHolder ourselves() { return {"this very process", ::getpid(), "?"}; }

class Held final : public LeaseLock {
 public:
  Held(std::string identity, UniqueFd fd) : identity_(std::move(identity)), fd_(std::move(fd)) {}
  ~Held() override {
    const std::scoped_lock lock(table_mutex);
    [[maybe_unused]] const int emptied = ::ftruncate(fd_.get(), 0);
    fd_.reset();
    held_here.erase(identity_);
  }

 private:
  std::string identity_;
  UniqueFd fd_;
};

// The lock, or who has it.
std::unique_ptr<LeaseLock> try_acquire(const std::string& identity, const std::string& holder, LeaseHolder& other) {
  const std::scoped_lock lock(table_mutex);
  if (held_here.contains(identity)) {
    other = ourselves();
    return nullptr;
  }
  const auto path = file_of(identity);
  const bool shared = keeper_address().shared;
  // Never through a link: in a place that a group writes to, it might lead to a file of ours that is worth more.
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw error_from_errno(errno, "lease of " + identity, "open " + path.string());
  // Whoever of the group comes next has to lock it too; the file's group is its directory's. Not ours to change: it is so already.
  if (shared) [[maybe_unused]]
    const int changed = ::fchmod(fd.get(), 0660);
  auto range = whole_file(F_WRLCK);
  if (::fcntl(fd.get(), F_SETLK, &range) != 0) {
    if (errno != EACCES && errno != EAGAIN) throw error_from_errno(errno, "lease of " + identity, "lock");
    other = holder_in(fd.get());
    return nullptr;
  }
  const std::string who = holder + (shared ? " of user " + user_name(::geteuid()) : "");
  const std::string owner = nlohmann::json{{"holder", who}, {"pid", ::getpid()}, {"since", to_iso8601(real_clock().utc_now())}}.dump();
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size()))
    throw error_from_errno(errno, "lease of " + identity, "write its owner");
  held_here.insert(identity);
  return std::make_unique<Held>(identity, std::move(fd));
}

}  // namespace

std::string LeaseHolder::text() const { return holder + ", pid " + std::to_string(pid) + ", since " + since; }

std::unique_ptr<LeaseLock> LeaseLock::acquire(const std::string& identity, const std::string& holder,
                                              std::optional<Deadline> wait_until_deadline) {
  while (true) {
    LeaseHolder other;
    if (auto lock = try_acquire(identity, holder, other)) return lock;
    if (!wait_until_deadline || wait_until_deadline->expired())
      throw Error(ErrorKind::Busy, identity, "held by " + other.text(), "wait for it with --wait, or end that process");
    wait_until(wait_until_deadline->at_most(100ms));
  }
}

std::optional<LeaseHolder> lease_holder(const std::string& identity) {
  const std::scoped_lock lock(table_mutex);
  // Opening and closing the file would drop our own lock.
  if (held_here.contains(identity)) return ourselves();
  UniqueFd fd(::open(file_of(identity).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  auto range = whole_file(F_WRLCK);
  if (!fd || ::fcntl(fd.get(), F_GETLK, &range) != 0 || range.l_type == F_UNLCK) return std::nullopt;
  return holder_in(fd.get());
}

}  // namespace hilcop
