// SPDX-License-Identifier: Apache-2.0
#include "console/console.h"

namespace hilcop {

// Texts of Linux 6.1: kernel/panic.c, arch/*/kernel/traps.c, kernel/watchdog.c, mm/oom_kill.c, fs/ext4/super.c.
std::vector<Watcher> linux_watchers() {
  const auto fatal = [](const char* name, const char* regex) { return Watcher{name, Pattern::regex(regex), true}; };
  const auto note = [](const char* name, const char* regex) { return Watcher{name, Pattern::regex(regex), false}; };
  return {
      fatal("kernel-panic", "Kernel panic - not syncing"),
      note("kernel-oops", "Internal error: |Oops: [0-9a-f]{4}|BUG: unable to handle|Unable to handle kernel (NULL pointer|paging request)"),
      note("kernel-bug", "kernel BUG at |BUG: (spinlock|scheduling while atomic|KASAN)"),
      note("kernel-hang",
           "watchdog: BUG: soft lockup|INFO: rcu_[a-z]{1,20} (self-)?detected stall|INFO: task [^ ]{1,80} blocked for more than"),
      note("watchdog-reset", "watchdog: watchdog[0-9]{1,3}: watchdog did not stop|Watchdog (timer expired|reset)"),
      note("out-of-memory", "Out of memory: Killed process|oom-kill:"),
      note("file-system-error", "EXT4-fs error|EXT4-fs \\([^)]{1,40}\\): (error|failed)|I/O error, dev "),
  };
}

}  // namespace hilcop
