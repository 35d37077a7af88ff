// SPDX-License-Identifier: Apache-2.0
#include "io/service_thread.h"

#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace hilcop {

ServiceThread::ServiceThread(const std::string& object) : object_(object), end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!end_) throw error_from_errno(errno, object_, "make an eventfd");
}

void ServiceThread::start(std::function<void()> run) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  try {
    thread_ = std::thread(std::move(run));
  } catch (const std::system_error& error) {
    failed = error.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) throw Error(ErrorKind::Exhausted, object_, "cannot start a thread", "end other programs and run again");
}

void ServiceThread::end() {
  ::eventfd_write(end_.get(), 1);
  if (thread_.joinable()) thread_.join();
}

}  // namespace hilcop
