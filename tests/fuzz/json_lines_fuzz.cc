// SPDX-License-Identifier: Apache-2.0
// Bytes from a peer: each line is JSON or the connection ends with an Error.
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "io/unix_socket.h"

using namespace hilcop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  int ends[2];
  if (size > 60'000 || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return 0;
  UniqueFd peer(ends[1]);
  JsonLines lines(UniqueFd{ends[0]}, "fuzz");
  if (::send(peer.get(), data, size, MSG_NOSIGNAL) < 0) return 0;
  peer.reset();
  const auto most = std::count(data, data + size, '\n');
  try {
    for (std::ptrdiff_t n = 0; lines.receive(Deadline::in(1s)); ++n)
      if (n >= most) std::abort();  // more lines than were sent
    std::abort();                   // the peer is gone: that is an Error, not a deadline
  } catch (const Error&) {
  }
  return 0;
}
