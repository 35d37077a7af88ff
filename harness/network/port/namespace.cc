// SPDX-License-Identifier: Apache-2.0
#include "network/port/namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "base/error.h"
#include "io/unique_fd.h"
#include "network/port/links.h"

namespace hilcop {

namespace {

constexpr const char* kObject = "bench network";

void write_to(const char* file, const std::string& text) {
  const UniqueFd fd(::open(file, O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw error_from_errno(errno, kObject, std::string("cannot write ") + file);
}

[[noreturn]] void refused(int why) {
  if (why == ENOSPC || why == EUSERS)
    throw Error(ErrorKind::Exhausted, kObject, "this host has no more namespaces",
                "raise sysctl user.max_user_namespaces and user.max_net_namespaces");
  if (why == EPERM)
    throw Error(ErrorKind::PermissionDenied, kObject, "this user may not make a namespace",
                "sysctl kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0 (those that the host has), "
                "or be root");
  throw error_from_errno(why, kObject, "cannot make a namespace");
}

}  // namespace

void enter_network_namespace() {
  const auto user = ::getuid();
  const auto group = ::getgid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) {
    write_to("/proc/self/setgroups", "deny");  // without it gid_map may not be written: user_namespaces(7)
    write_to("/proc/self/uid_map", fmt::format("0 {} 1", user));
    write_to("/proc/self/gid_map", fmt::format("0 {} 1", group));
  } else if (user != 0 || ::unshare(CLONE_NEWNET) != 0) {
    refused(errno);
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  Links().set_up("lo", true);
}

}  // namespace hilcop
