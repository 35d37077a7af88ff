// SPDX-License-Identifier: Apache-2.0
#include "io/host_load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace hilcop {

double starved_s(pid_t pid) {
  double longest_ns = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator task("/proc/" + std::to_string(pid) + "/task", error), end; !error && task != end;
       task.increment(error)) {
    double on_cpu_ns = 0, waiting_ns = 0;
    std::ifstream(task->path() / "schedstat") >> on_cpu_ns >> waiting_ns;
    longest_ns = std::max(longest_ns, waiting_ns);
  }
  return longest_ns / 1e9;
}

}  // namespace hilcop
