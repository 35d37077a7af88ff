// SPDX-License-Identifier: Apache-2.0
#include "network/dhcp/socket_loop.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/deadline.h"
#include "base/error.h"

namespace hilcop {

SocketLoop::SocketLoop(int socket, Work work, const Clock& clock, const std::string& object)
    : socket_(socket), object_(object), work_(std::move(work)), clock_(clock), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_) throw error_from_errno(errno, object, "cannot make an eventfd");
}

void SocketLoop::start() {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    failed = error.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) throw Error(ErrorKind::Exhausted, object_, "cannot start a thread", "end other programs and run again");
}

void SocketLoop::wake() { ::eventfd_write(wake_.get(), 1); }

void SocketLoop::end() {
  ending_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void SocketLoop::run() {
  bool reads = true;
  while (!ending_) {
    const Deadline next(work_.due());
    pollfd entries[2] = {{wake_.get(), POLLIN, 0}, {reads ? socket_ : -1, POLLIN, 0}};
    if (::poll(entries, 2, next.poll_timeout_ms(clock_)) <= 0) continue;
    eventfd_t ignored = 0;
    if (entries[0].revents != 0) ::eventfd_read(wake_.get(), &ignored);
    if (entries[1].revents != 0 && !ending_) reads = work_.read();
  }
}

}  // namespace hilcop
