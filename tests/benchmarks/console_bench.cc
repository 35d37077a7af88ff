// SPDX-License-Identifier: Apache-2.0
// console_bench [--json FILE]: the public Console, recording on, 64 patterns armed, on a pseudo-terminal, beside
// a bare read() loop on one in the same run.
#include <fcntl.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/memory_sink.h"
#include "fakes/pty_port.h"
#include "io/serial_stream.h"

using namespace hilcop;

namespace {

// Lines as a boot log has them, and an end that is looked for.
std::string boot_log(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i)
    text +=
        "[" + std::to_string(i / 100) + "." + std::to_string(i % 100) + "] device " + std::to_string(i * 7919) + ": probed at irq 3\r\n";
  text.resize(size);
  return text + "\r\nTHE-END> ";
}

double seconds_of(const std::function<void()>& action) {
  const auto begin = real_clock().now();
  action();
  return std::chrono::duration<double>(real_clock().now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The port as a program opens it that does nothing but read: raw, blocking.
UniqueFd raw_port(const PtyPort& line) {
  UniqueFd fd(::open(line.terminal().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  termios settings{};
  ::tcgetattr(fd.get(), &settings);
  ::cfmakeraw(&settings);
  ::tcsetattr(fd.get(), TCSANOW, &settings);
  return fd;
}

double bare_read(const std::string& text) {
  PtyPort line;
  const auto port = raw_port(line);
  std::thread device([&] { line.says(text); });
  const double elapsed = seconds_of([&] {
    std::vector<char> buffer(64 * 1024);
    for (std::size_t left = text.size(); left > 0;) {
      const auto n = ::read(port.get(), buffer.data(), buffer.size());
      if (n <= 0) std::abort();
      left -= static_cast<std::size_t>(n);
    }
  });
  device.join();
  return elapsed;
}

ConsoleOptions options_in(const TempDir& dir) {
  ConsoleOptions options;
  options.source = "bench/main";
  options.record_dir = dir.path();
  for (int i = 0; i < 64; ++i)
    options.watchers.push_back({"w" + std::to_string(i), Pattern::regex("fault " + std::to_string(i) + " at 0x[0-9a-f]+"), false});
  return options;
}

double console_to_match(const std::string& text) {
  TempDir dir;
  PtyPort line;
  MemorySink sink;
  const auto loop = IoLoop::start();
  const auto console = Console::open(open_serial_stream(line.port(), {}), options_in(dir), *loop, sink);
  std::thread device([&] { line.says(text); });
  const std::array end{Pattern::regex("THE-END> ")};
  const double elapsed = seconds_of([&] { console->expect(end, Deadline::in(120s)); });
  device.join();
  console->close();
  std::ifstream file(dir / "bench-main.raw", std::ios::binary);
  if (std::string(std::istreambuf_iterator<char>(file), {}) != text) throw std::runtime_error("the recording differs from what was sent");
  return elapsed;
}

// The device echoes a prompt for each line: how long from sending to having it.
double round_trip_us(bool with_console, int rounds) {
  TempDir dir;
  PtyPort line;
  std::jthread device([&] {
    while (line.hears(2) == "x\n") line.says("ok\r\n# ");
  });
  std::vector<double> each;
  if (with_console) {
    MemorySink sink;
    const auto loop = IoLoop::start();
    const auto console = Console::open(open_serial_stream(line.port(), {}), options_in(dir), *loop, sink);
    const std::array prompt{Pattern::literal("# ")};
    for (int i = 0; i < rounds; ++i)
      each.push_back(seconds_of([&] {
        console->write("x\n", Deadline::in(5s));
        console->expect(prompt, Deadline::in(5s));
      }));
    console->close();
  } else {
    const auto port = raw_port(line);
    for (int i = 0; i < rounds; ++i)
      each.push_back(seconds_of([&] {
        std::array<char, 64> buffer;
        if (::write(port.get(), "x\n", 2) != 2) std::abort();
        for (std::size_t got = 0; got < 6;)
          got += static_cast<std::size_t>(std::max<ssize_t>(0, ::read(port.get(), buffer.data(), buffer.size())));
      }));
  }
  return median(each) * 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kRounds = 9;
  nlohmann::json rows = nlohmann::json::array();
  std::printf("%-34s %12s %12s %8s\n", "median of 9", "read()", "Console", "ratio");
  const auto row = [&](const std::string& name, const char* unit, const std::function<double()>& bare,
                       const std::function<double()>& ours) {
    std::vector<double> bares, consoles;
    for (int i = 0; i < kRounds; ++i) bares.push_back(bare()), consoles.push_back(ours());
    const double a = median(bares), b = median(consoles);
    std::printf("%-34s %9.1f %s %9.1f %s %8.2f\n", name.c_str(), a, unit, b, unit, b / a);
    rows.push_back({{"name", name}, {"unit", unit}, {"read", a}, {"console", b}, {"ratio", b / a}});
  };
  for (const std::size_t mb : {1u, 4u, 8u, 32u}) {
    const auto text = boot_log(mb << 20);
    row(
        "to the match at the end of " + std::to_string(mb) + " MB", "ms", [&] { return bare_read(text) * 1e3; },
        [&] { return console_to_match(text) * 1e3; });
  }
  row(
      "prompt round trip, p50", "us", [] { return round_trip_us(false, 2000); }, [] { return round_trip_us(true, 2000); });
  if (argc == 3 && std::string(argv[1]) == "--json") {
    utsname machine{};
    ::uname(&machine);
    std::ofstream(argv[2]) << nlohmann::json{{"benchmark", "console"},
                                             {"kernel", machine.release},
                                             {"processors", ::sysconf(_SC_NPROCESSORS_ONLN)},
                                             {"utc", to_iso8601(real_clock().utc_now())},
                                             {"rows", rows}}
                                  .dump(1)
                           << "\n";
  }
}
