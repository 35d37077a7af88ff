// SPDX-License-Identifier: Apache-2.0
#include "bench/console_line.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

std::unique_ptr<ByteStream> ended_stream(const std::string& name) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) throw error_from_errno(errno, name, "make a socket");
  const UniqueFd far(ends[1]);
  return make_socket_stream(UniqueFd(ends[0]), name);
}

}  // namespace

ConsoleLine open_console_line(const Driver& driver, const InstrumentConfig& instrument, bool comes_with_power) {
  ConsoleLine line;
  auto first = std::make_shared<std::string>();
  try {
    line.stream = driver.open_console(instrument, Deadline::in(10s));
    *first = line.stream->name();
  } catch (const Error& error) {
    if (!comes_with_power || error.kind() != ErrorKind::NotFound) throw;
    line.stream = ended_stream("instrument '" + instrument.name + "'");
  }
  // By identity: after an unplug the same port name may be another adapter. A terminal server takes seconds to answer.
  line.reopen = [driver = &driver, instrument, first] {
    auto again = driver->open_console(instrument, Deadline::in(4s));
    if (first->empty()) *first = again->name();
    if (again->name() == *first) return again;
    throw Error(ErrorKind::NotFound, *first, "another one stands in its place: " + again->name(), "plug the first one in again");
  };
  return line;
}

}  // namespace hilcop
