// SPDX-License-Identifier: Apache-2.0
// hilcop's RFC 2217 client for the benchmark of instruments. Prints one line of JSON.
//   bench_rfc2217_client trips PORT COUNT     lines to an echo and back, through the stream alone
//   bench_rfc2217_client expects PORT COUNT   the same through a Console that waits for each
//   bench_rfc2217_client flood PORT BYTES     as much as comes
#include <poll.h>
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "io/rfc2217_stream.h"

using namespace hilcop;

namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

struct NoSink final : EventSink {
  void emit(Event) override {}
};

void fail(const char* why) {
  std::fprintf(stderr, "bench_rfc2217_client: %s\n", why);
  std::exit(1);
}

std::string line_of(int number) {
  std::array<char, 40> line{};
  std::snprintf(line.data(), line.size(), "command number %08d........\n", number);
  return line.data();
}

// Until `bytes` have come; returns the last of them.
std::string receive(ByteStream& stream, std::size_t bytes, std::size_t kept) {
  static std::array<std::byte, 65536> buffer;
  std::string tail;
  const Deadline deadline = Deadline::in(60s);
  for (std::size_t got = 0; got < bytes;) {
    const auto n = stream.read_some(buffer);
    got += n;
    tail.append(reinterpret_cast<const char*>(buffer.data()), n);
    if (tail.size() > kept) tail.erase(0, tail.size() - kept);
    if (n == 0 && !wait_ready(stream.fd(), POLLIN, deadline)) fail("nothing more came");
  }
  return tail;
}

void send(ByteStream& stream, std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(stream.write_some(std::as_bytes(std::span(text))));
    if (!text.empty()) wait_ready(stream.write_fd(), POLLOUT, Deadline::in(10s));
  }
}

void trips(ByteStream& stream, int count) {
  for (int i = 0; i < count; ++i) {
    const auto line = line_of(i);
    send(stream, line);
    if (receive(stream, line.size(), line.size()) != line) fail("the echo is another");
  }
}

void expects(Console& console, int count) {
  for (int i = 0; i < count; ++i) {
    const auto line = line_of(i);
    console.write(line, Deadline::in(10s));
    const std::array wanted{Pattern::literal("........\n")};
    if (console.expect(wanted, Deadline::in(10s)).before + "........\n" != line) fail("the echo is another");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("see its source for its arguments");
  const std::string mode = argv[1];
  const int count = std::atoi(argv[3]);
  auto stream = open_rfc2217_stream({.host = "127.0.0.1", .port = std::atoi(argv[2])}, Deadline::in(10s));
  std::function<void()> action;
  NoSink sink;
  std::unique_ptr<IoLoop> loop;
  std::unique_ptr<Console> console;
  if (mode == "expects") {
    loop = IoLoop::start();
    ConsoleOptions options;
    options.source = "bench/main";
    console = Console::open(std::move(stream), options, *loop, sink);
    action = [&] { expects(*console, count); };
  } else if (mode == "trips") {
    action = [&] { trips(*stream, count); };
  } else {
    action = [&] {
      send(*stream, "go\n");
      receive(*stream, static_cast<std::size_t>(count), 1);
    };
  }
  const auto begin = real_clock().now();
  const double cpu = cpu_seconds();
  action();
  const double used = cpu_seconds() - cpu;
  const double wall = std::chrono::duration<double>(real_clock().now() - begin).count();
  std::printf("%s\n", nlohmann::json{{"wall_s", wall}, {"cpu_s", used}}.dump().c_str());
}
