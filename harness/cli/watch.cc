// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/error.h"
#include "base/interrupt.h"
#include "bench/lease_lock.h"
#include "io/unix_socket.h"
#include "run/supervisor.h"

namespace hilcop {
namespace {

std::string decoded(const std::string& base64) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : base64) {
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto value = alphabet.find(c);
    if (value == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8) & 0xff);
  }
  return out;
}

}  // namespace

int watch_console(const std::string& bench, const std::string& dut) {
  const auto holder = lease_holder("dut:" + bench + "/" + dut);
  if (!holder)
    throw Error(ErrorKind::NotFound, "dut '" + dut + "'", "nobody is using it now",
                "start a run with `hilcop run`, or open the console without --watch");
  std::unique_ptr<JsonLines> events;
  try {
    events = std::make_unique<JsonLines>(connect_unix(event_socket_of(holder->pid), Deadline::in(2s)), "worker of dut " + dut);
  } catch (const Error&) {
    throw Error(ErrorKind::Unsupported, "dut '" + dut + "'", "is held by " + holder->text() + ", which shows its console to nobody",
                "watch a DUT that `hilcop run` uses");
  }
  try {
    while (true) {
      const auto event = events->receive(Deadline::in(3600s));
      if (!event || event->value("kind", "") != "console.bytes") continue;
      const std::string bytes = decoded(event->at("data").value("base64", ""));
      [[maybe_unused]] const auto n = ::write(1, bytes.data(), bytes.size());
    }
  } catch (const Interrupted&) {
    clear_interrupt();
  } catch (const Error&) {
    std::fprintf(stderr, "\nthe run has ended\n");
  }
  return 0;
}

}  // namespace hilcop
