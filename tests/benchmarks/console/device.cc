// SPDX-License-Identifier: Apache-2.0
// The device's side of the benchmarks, on inherited pseudo-terminal masters:
//   bench_device flood FD CORPUS BYTES BLOCK    after one byte of input: BYTES of the corpus in blocks (0: of random size), then the prompt
//   bench_device pings FD COUNT STAMPS          answers each line; STAMPS: when each answer was given (steady ns, one a line)
//   bench_device lines FIRST_FD COUNT CORPUS RATE BURST_MS SECONDS LOG
//                                               as UARTs with RATE bytes a second each; LOG: index, bytes so far, steady ns a burst
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"

using namespace hilcop;

namespace {

constexpr std::string_view kPrompt = "root@board:~# ";

std::string text_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A pseudo-terminal that nobody has opened yet reads as an error.
std::size_t hear(int fd, std::span<char> into) {
  while (true) {
    const auto n = ::read(fd, into.data(), into.size());
    if (n > 0) return static_cast<std::size_t>(n);
    if (n == 0 || errno != EIO) std::exit(1);
    real_clock().sleep_until(real_clock().now() + 1ms);
  }
}

void say(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n <= 0) std::exit(1);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// The other side has everything when it closes its input.
void wait_for_end() {
  std::array<char, 64> ignored;
  while (::read(0, ignored.data(), ignored.size()) > 0) {
  }
}

void flood(int fd, const std::string& corpus, std::size_t bytes, std::size_t block) {
  std::array<char, 1> go;
  hear(fd, go);
  std::mt19937 random(1);
  for (std::size_t at = 0; at < bytes;) {
    const std::size_t wanted = block != 0 ? block : random() % 9000 + 1;
    const std::size_t n = std::min({wanted, bytes - at, corpus.size() - at % corpus.size()});
    say(fd, std::string_view(corpus).substr(at % corpus.size(), n));
    at += n;
  }
  say(fd, "\r\n");
  say(fd, kPrompt);
}

void pings(int fd, std::size_t count, const char* stamps) {
  const std::string answer = "uname -a\r\nLinux board 6.1.0 #1 SMP PREEMPT aarch64 GNU/Linux\r\n" + std::string(kPrompt);
  std::vector<std::int64_t> given;
  std::array<char, 4096> buffer;
  while (given.size() < count) {
    while (buffer[hear(fd, buffer) - 1] != '\n') {
    }
    given.push_back(to_ns(real_clock().now()));
    say(fd, answer);
  }
  std::ofstream out(stamps);
  for (const auto at : given) out << at << "\n";
}

struct Uart {
  SteadyTime next;
  std::size_t at = 0;
  std::uint64_t sent = 0, refused = 0;
};

void lines(int first, std::size_t count, const std::string& corpus, double rate, double burst_ms, double seconds, const char* log) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  const auto burst = static_cast<std::size_t>(std::max(1.0, rate * burst_ms / 1e3));
  const Nanoseconds period(static_cast<std::int64_t>(static_cast<double>(burst) / rate * 1e9));
  const auto begin = real_clock().now() + 200ms;
  const auto end = begin + std::chrono::duration_cast<Nanoseconds>(std::chrono::duration<double>(seconds));
  std::vector<Uart> uarts(count);
  struct Burst {
    std::uint64_t uart, sent;
    std::int64_t at;
  };
  std::vector<Burst> bursts;
  for (std::size_t i = 0; i < count; ++i) {
    ::fcntl(first + static_cast<int>(i), F_SETFL, O_NONBLOCK | ::fcntl(first + static_cast<int>(i), F_GETFL));
    uarts[i].next = begin + period * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count);
    uarts[i].at = i * 7919 % (corpus.size() - burst);
  }
  for (auto now = real_clock().now(); now < end; now = real_clock().now()) {
    auto soonest = end;
    for (std::size_t i = 0; i < count; ++i) {
      auto& uart = uarts[i];
      for (; uart.next <= now; uart.next += period) {
        if (uart.at + burst > corpus.size()) uart.at = 0;
        const auto at = to_ns(real_clock().now());
        const auto n = std::max<ssize_t>(0, ::write(first + static_cast<int>(i), corpus.data() + uart.at, burst));
        uart.sent += static_cast<std::uint64_t>(n);
        uart.refused += burst - static_cast<std::uint64_t>(n);
        uart.at += static_cast<std::size_t>(n);
        bursts.push_back({i, uart.sent, at});
      }
      soonest = std::min(soonest, uart.next);
    }
    real_clock().sleep_until(soonest);
  }
  std::ofstream out(log);
  for (const auto& one : bursts) out << one.uart << " " << one.sent << " " << one.at << "\n";
  out.close();
  std::uint64_t sent = 0, refused = 0;
  for (const auto& uart : uarts) sent += uart.sent, refused += uart.refused;
  std::printf("{\"sent\": %llu, \"refused\": %llu}\n", static_cast<unsigned long long>(sent), static_cast<unsigned long long>(refused));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "flood" && argc == 6)
    flood(std::atoi(argv[2]), text_of(argv[3]), std::strtoul(argv[4], nullptr, 10), std::strtoul(argv[5], nullptr, 10));
  else if (mode == "pings" && argc == 5)
    pings(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10), argv[4]);
  else if (mode == "lines" && argc == 9)
    lines(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10), text_of(argv[4]), std::atof(argv[5]), std::atof(argv[6]),
          std::atof(argv[7]), argv[8]);
  else
    return 2;
  wait_for_end();
}
