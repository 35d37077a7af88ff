// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.h"
#include "keeper/driver.h"

namespace hilcop {

/// A job with an exact time is posted this long before it, so that the main thread's scheduling does not count.
inline constexpr Nanoseconds kHandOver = 5ms;

/// An instrument that the keeper holds, with the one thread that talks to it. Jobs run in order, urgent ones first; none is
/// ever run by two threads. Destroying it runs the jobs that are left, then closes the instrument in its own thread.
class HeldInstrument {
 public:
  /// Gets the instrument, or nullptr and why it could not be opened.
  using Job = std::function<void(Instrument*, const Error*)>;
  HeldInstrument(const Driver& driver, InstrumentConfig config, InstrumentEvent event);
  ~HeldInstrument();

  const InstrumentConfig& config() const { return config_; }
  bool failed_to_open() const { return failed_; }
  /// `not_before`: at most a few ms ahead, for exact timing.
  void post(Job job, bool urgent = false, SteadyTime not_before = {});

 private:
  struct Entry {
    Job job;
    SteadyTime not_before;
  };
  void work(const Driver& driver, const InstrumentEvent& event);
  bool next(Entry& entry);

  InstrumentConfig config_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> urgent_, normal_;
  bool ending_ = false;
  std::atomic<bool> failed_{false};
  std::thread thread_;
};

}  // namespace hilcop
