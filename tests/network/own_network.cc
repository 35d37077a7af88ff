// SPDX-License-Identifier: Apache-2.0
// The main of tests that need a network of their own: the whole program runs in a user namespace, a network namespace and a mount
// namespace, whoever runs it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace {

// mountinfo of proc(5): the fifth word of a line is where it is.
bool root_is_a_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 5; ++i) words >> word;
    if (word == "/") return true;
  }
  return false;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string_view> arguments(words, words + count);
  const bool lists = std::ranges::find(arguments, "--gtest_list_tests") != arguments.end();  // which a build does, anywhere
  if (std::getenv("HILCOP_OWN_NETWORK") == nullptr && !lists) {
    ::setenv("HILCOP_OWN_NETWORK", "1", 1);
    std::vector<char*> command{const_cast<char*>("unshare"), const_cast<char*>("--net"), const_cast<char*>("--mount")};
    // Root needs no user namespace, and may not make one in a chroot (user_namespaces(7)).
    if (::geteuid() != 0) command.push_back(const_cast<char*>("--map-root-user"));
    // A chroot's root is no mount, whose propagation could be changed: it stays what it is outside.
    if (!root_is_a_mount())
      for (const char* word : {"--propagation", "unchanged"}) command.push_back(const_cast<char*>(word));
    static char own[4096];
    const auto size = ::readlink("/proc/self/exe", own, sizeof own - 1);
    command.push_back(size > 0 ? own : words[0]);
    command.insert(command.end(), words + 1, words + count);
    command.push_back(nullptr);
    ::execvp(command[0], command.data());
    std::perror("unshare of util-linux");
    return 1;
  }
  ::testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
