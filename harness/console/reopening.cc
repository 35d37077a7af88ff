// SPDX-License-Identifier: Apache-2.0
// A lost stream is opened again on a thread of its console: a server that does not answer for seconds keeps nobody else waiting. What a
// driver starts to open a stream (a program) dies with the thread that started it, so this one lives until the console is closed.
#include <pthread.h>
#include <signal.h>

#include <algorithm>

#include "base/interrupt.h"
#include "console/real_console.h"

namespace hilcop {
namespace {

// A board's own adapter is there again at once, and its first words count; one that stays away is looked for in peace.
constexpr Nanoseconds kFirstPause = 40ms;
constexpr Nanoseconds kLongestPause = 1s;

}  // namespace

// With the lock held.
void RealConsole::begin_reopening() {
  reopen_at_once_ = true;
  if (reopener_.joinable()) return reopen_.notify_all();
  // Signals are the main thread's.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  reopener_ = std::thread([this] { keep_open(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void RealConsole::keep_open() {
  std::unique_lock lock(mutex_);
  Nanoseconds pause = kFirstPause;
  while (true) {
    const auto wanted = [&] { return closing_ || (reopen_at_once_ && !stream_); };
    if (stream_)
      reopen_.wait(lock, wanted);
    else if (!reopen_at_once_)
      reopen_.wait_for(lock, pause, wanted);
    if (closing_) return;
    if (std::exchange(reopen_at_once_, false)) pause = kFirstPause;
    std::unique_ptr<ByteStream> again;
    bool powered = false;
    do {
      powered = powered_;
      lock.unlock();
      again = try_reopen(std::move(again), powered);  // without the lock: everything else of the console goes on
      lock.lock();
    } while (again && !closing_ && powered != powered_);
    pause = std::min(pause * 3 / 2, kLongestPause);
    if (!again || closing_) continue;
    try {
      take_again(std::move(again));
    } catch (const std::exception& error) {
      not_reopened_ = Error(ErrorKind::Exhausted, stream_name_, error.what());  // no room for one more descriptor to watch
    }
  }
}

// With its lines as they are to stand: one that cannot hold them would feed the board.
std::unique_ptr<ByteStream> RealConsole::try_reopen(std::unique_ptr<ByteStream> again, bool powered) {
  std::optional<Error> why;
  try {
    if (!again) again = options_.reopen();
    hold_lines(*again, powered);
    return again;
  } catch (const Error& error) {
    why = error;  // not back yet: the gap stays open, and waits end at their deadlines
  } catch (const Interrupted&) {
    return nullptr;  // who waits is told by its own wait
  } catch (const std::exception& error) {
    why = Error(ErrorKind::Protocol, stream_name_, error.what());
  }
  const std::scoped_lock lock(mutex_);
  not_reopened_ = std::move(why);
  return nullptr;
}

// With the lock held.
void RealConsole::take_again(std::unique_ptr<ByteStream> again) {
  loop_.watch(again->fd(), this);
  stream_ = std::move(again);
  lost_.reset();
  not_reopened_.reset();
  counters_ = {};
  last_check_ = connected_at_ = real_clock().now();
  if (borrowed_) loop_.enable(stream_->fd(), this, false);
  const auto remark = stream_->remark();
  tell_absence(connected_at_, "opened again" + (remark.empty() ? "" : ": " + remark));
  lost_as_.clear();
  wake_waiters();
}

void RealConsole::end_reopening() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    reopen_.notify_all();
  }
  if (reopener_.joinable()) reopener_.join();
}

}  // namespace hilcop
