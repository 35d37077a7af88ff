// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

namespace hilcop {

/// For how many seconds since its start a process was ready to run while the host ran others: of its threads, the one that waited
/// longest. 0 for a process that is not there. Source: /proc/PID/task/*/schedstat, second field (ns on a run queue).
double starved_s(pid_t pid);

}  // namespace hilcop
