// SPDX-License-Identifier: Apache-2.0
// bootstate: the boot state by hand, and RAUC's custom boot loader backend (get-primary, set-primary, get-state, set-state, get-current).
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "boot_state.h"
#include "error.h"
#include "version.h"

namespace {

using namespace ht1;

constexpr const char* kHelp =
    "bootstate get [NAME] | set NAME=VALUE... | mark-good SLOT | get-primary | set-primary SLOT | get-state SLOT | set-state SLOT good|bad "
    "| get-current | allows VERSION RUNNING\nallows: exit status 0 when VERSION is newer than RUNNING and not below MIN_VERSION.\nThe "
    "partition is $HT1_BOOT_STATE, else /dev/ht1-boot-state.\n";

std::string left(const std::string& slot) {
  if (slot != "A" && slot != "B") throw Failure("bootstate: no slot '" + slot + "'; A and B are");
  return "BOOT_" + slot + "_LEFT";
}

// The first slot of the order that may still be tried.
std::string primary(Variables variables) {
  for (const char slot : variables["BOOT_ORDER"])
    if (slot != ' ' && variables["BOOT_" + std::string(1, slot) + "_LEFT"] != "0") return {slot};
  throw Failure("bootstate: no slot has tries left; the recovery takes a signed image");
}

std::string current() {
  std::ifstream file("/proc/cmdline");
  const std::string line(std::istreambuf_iterator<char>(file), {});
  const auto at = line.find("ht1.slot=");
  if (at == std::string::npos) throw Failure("bootstate: the kernel's command line has no ht1.slot=; was this started by the boot loader?");
  return line.substr(at + 9, line.find_first_of(" \n", at) - at - 9);
}

void require_allowed(const std::string& version, const std::string& running, const std::string& least) {
  const auto to_running = compare_versions(version, running), to_least = compare_versions(version, least);
  if (!to_running || !to_least) throw Failure("bootstate: '" + version + "' or '" + running + "' is no version: numbers with dots between");
  if (*to_least < 0) throw Failure("bootstate: version " + version + " is older than " + least + ", below which this device never goes");
  if (*to_running <= 0) throw Failure("bootstate: version " + version + " is not newer than " + running + ", which runs");
}

int run(const std::vector<std::string>& words) {
  const char* disk = std::getenv("HT1_BOOT_STATE");
  BootState state(disk != nullptr ? disk : "/dev/ht1-boot-state");
  const std::string what = words.empty() ? "" : words[0];
  const std::size_t count = words.size();
  if (what == "get" && count == 1) {
    for (const auto& [name, value] : state.read()) std::printf("%s=%s\n", name.c_str(), value.c_str());
  } else if (what == "get" && count == 2) {
    std::printf("%s\n", state.read()[words[1]].c_str());
  } else if (what == "set" && count > 1) {
    state.change([&](Variables& variables) {
      for (std::size_t i = 1; i < count; ++i) {
        const auto equals = words[i].find('=');
        if (equals == std::string::npos || equals == 0) throw Failure("bootstate: set wants NAME=VALUE, not '" + words[i] + "'");
        variables[words[i].substr(0, equals)] = words[i].substr(equals + 1);
      }
    });
  } else if (what == "mark-good" && count == 2) {
    left(words[1]), state.mark_good(words[1]);
  } else if (what == "get-primary" && count == 1) {
    std::printf("%s\n", primary(state.read()).c_str());
  } else if (what == "set-primary" && count == 2) {
    state.set_primary(words[1]);
  } else if (what == "get-state" && count == 2) {
    std::printf("%s\n", state.read()[left(words[1])] == "0" ? "bad" : "good");
  } else if (what == "set-state" && count == 3 && (words[2] == "good" || words[2] == "bad")) {
    state.change([&](Variables& variables) { variables[left(words[1])] = words[2] == "good" ? "3" : "0"; });
  } else if (what == "get-current" && count == 1) {
    std::printf("%s\n", current().c_str());
  } else if (what == "allows" && count == 3) {
    require_allowed(words[1], words[2], state.read()["MIN_VERSION"]);
  } else {
    std::fputs(kHelp, stderr);
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
