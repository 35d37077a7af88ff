// SPDX-License-Identifier: Apache-2.0
// The main of tests that need a network of their own: the whole program runs in a user namespace and a network namespace, whoever runs it.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <gtest/gtest.h>

int main(int count, char** words) {
  if (std::getenv("HILCOP_OWN_NETWORK") == nullptr) {
    ::setenv("HILCOP_OWN_NETWORK", "1", 1);
    std::vector<char*> command{const_cast<char*>("unshare"), const_cast<char*>("--map-root-user"), const_cast<char*>("--net")};
    command.insert(command.end(), words, words + count);
    static char own[4096];
    const auto size = ::readlink("/proc/self/exe", own, sizeof own - 1);
    if (size > 0) own[size] = '\0', command[3] = own;
    command.push_back(nullptr);
    ::execvp(command[0], command.data());
    std::perror("unshare of util-linux");
    return 1;
  }
  ::testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
