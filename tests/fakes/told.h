// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "base/deadline.h"

namespace hilcop {

/// Keeps what a service tells on its own thread, for a test that waits for it.
template <class What>
class Told {
 public:
  std::function<void(const What&)> listener() {
    return [this](const What& what) {
      const std::scoped_lock lock(mutex_);
      all_.push_back(what);
      more_.notify_all();
    };
  }
  /// All of it, once so many have come. The test fails where they do not.
  std::vector<What> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(more_.wait_for(lock, 20s, [&] { return all_.size() >= count; })) << all_.size() << " were told, not " << count;
    all_.resize(std::max(all_.size(), count));
    return all_;
  }
  std::vector<What> all() {
    const std::scoped_lock lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<What> all_;
};

}  // namespace hilcop
