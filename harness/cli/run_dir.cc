// SPDX-License-Identifier: Apache-2.0
#include "cli/run_dir.h"

#include "base/clock.h"
#include "base/error.h"

namespace hilcop {

namespace fs = std::filesystem;

fs::path new_run_dir(const std::string& out, const std::string& name) {
  std::string stamp = to_iso8601(real_clock().utc_now()).substr(0, 19);
  std::erase(stamp, ':');
  fs::path dir = out.empty() ? fs::path("runs") / (stamp + "Z-" + name) : fs::path(out);
  for (int n = 2; out.empty() && fs::exists(dir); ++n) dir = fs::path("runs") / (stamp + "Z-" + name + "-" + std::to_string(n));
  if (fs::exists(dir))
    throw Error(ErrorKind::Config, "--out " + dir.string(), "is there already: a run never writes into another's evidence",
                "name a new directory");
  fs::create_directories(dir);
  return fs::absolute(dir);
}

}  // namespace hilcop
