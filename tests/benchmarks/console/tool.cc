// SPDX-License-Identifier: Apache-2.0
// The bench's side of the benchmarks in C++: hilcop's public Console as it runs in a worker (recording, timeline file, patterns
// armed), and a bare read() loop. Each prints one line of JSON.
//   bench_tool read|hilcop flood  DIR PATTERNS PORT
//   bench_tool read|hilcop pings  DIR PATTERNS PORT COUNT STAMPS
//   bench_tool hilcop lines  DIR PATTERNS PORT...     until SIGTERM
//   bench_tool hilcop waits  DIR PATTERNS PORT SECONDS
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "console/pattern_database.h"
#include "evidence/timeline.h"
#include "io/serial_stream.h"
#include "io/unique_fd.h"

using namespace hilcop;

namespace {

constexpr std::string_view kPrompt = "root@board:~# ";

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::uint64_t resident_kib() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

nlohmann::json timed(const std::function<void()>& action) {
  const auto begin = real_clock().now();
  const double cpu = cpu_seconds();
  action();
  return {{"wall_s", std::chrono::duration<double>(real_clock().now() - begin).count()}, {"cpu_s", cpu_seconds() - cpu}};
}

std::vector<Watcher> watchers_of(const std::string& file) {
  std::vector<Watcher> watchers;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    watchers.push_back({"w" + std::to_string(watchers.size()), Pattern::regex(line), false});
  return watchers;
}

// As a program opens a port that does nothing but read: raw, blocking.
class Bare {
 public:
  explicit Bare(const std::string& port) : fd_(::open(port.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    termios settings{};
    ::tcgetattr(fd_.get(), &settings);
    ::cfmakeraw(&settings);
    ::tcsetattr(fd_.get(), TCSANOW, &settings);
  }
  void write(std::string_view text) const {
    if (::write(fd_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
  }
  // Until the prompt ends what was read: no search, the least that can be done.
  void read_to_prompt() {
    std::string last;
    while (!last.ends_with(kPrompt)) {
      const auto n = ::read(fd_.get(), buffer_.data(), buffer_.size());
      if (n <= 0) std::abort();
      last.append(buffer_.data(), static_cast<std::size_t>(n));
      if (last.size() > kPrompt.size()) last.erase(0, last.size() - kPrompt.size());
    }
  }

 private:
  UniqueFd fd_;
  std::array<char, 65536> buffer_;
};

struct Opened {
  std::unique_ptr<Timeline> timeline;
  std::unique_ptr<IoLoop> loop = IoLoop::start();
  std::vector<std::unique_ptr<Console>> consoles;
};

Opened open(const std::string& dir, const std::vector<Watcher>& watchers, const std::vector<std::string>& ports) {
  Opened opened;
  opened.timeline = Timeline::open({std::filesystem::path(dir) / "timeline.ndjson", {}, "bench"});
  for (std::size_t i = 0; i < ports.size(); ++i) {
    ConsoleOptions options;
    options.source = "c" + std::to_string(i) + "/main";
    options.record_dir = dir;
    options.watchers = watchers;
    opened.consoles.push_back(Console::open(open_serial_stream(ports[i], {}), options, *opened.loop, *opened.timeline));
  }
  return opened;
}

void close(Opened& opened, nlohmann::json& result) {
  auto hits = nlohmann::json::array();
  std::uint64_t bytes = 0, gaps = 0;
  for (auto& console : opened.consoles) {
    for (const auto& hit : console->hits_since(0)) hits.push_back({hit.watcher, hit.span.begin, hit.span.end});
    bytes += console->offset();
    gaps += console->gaps_since(0).size();
    console->close();
  }
  result["bytes"] = bytes, result["gaps"] = gaps;
  if (opened.consoles.size() == 1) result["hits"] = hits;
}

void stamp_each(int count, const std::string& file, nlohmann::json& result, const std::function<void()>& round) {
  std::vector<std::int64_t> stamps(static_cast<std::size_t>(count));
  result.update(timed([&] {
    for (auto& stamp : stamps) {
      round();
      stamp = to_ns(real_clock().now());
    }
  }));
  std::ofstream out(file);
  for (const auto stamp : stamps) out << stamp << "\n";
}

nlohmann::json read_mode(const std::string& mode, const std::vector<std::string>& rest) {
  Bare port(rest.at(0));
  nlohmann::json result;
  if (mode == "flood") {
    result = timed([&] {
      port.write("G");
      port.read_to_prompt();
    });
  } else {
    stamp_each(std::stoi(rest.at(1)), rest.at(2), result, [&] {
      port.write("uname -a\n");
      port.read_to_prompt();
    });
  }
  return result;
}

nlohmann::json hilcop_mode(const std::string& mode, const std::string& dir, const std::string& patterns,
                           const std::vector<std::string>& rest) {
  const auto watchers = watchers_of(patterns);
  const auto kept = PatternDatabase::get(watchers);
  nlohmann::json result;
  const auto automaton_kib = resident_kib();
  auto opened = open(dir, watchers, mode == "lines" ? rest : std::vector{rest.at(0)});
  auto& console = *opened.consoles.at(0);
  const std::array prompt{Pattern::literal(std::string(kPrompt))};
  const auto limit = [] { return Deadline::in(120s); };
  if (mode == "flood") {
    result = timed([&] {
      console.write("G", limit());
      console.expect(prompt, limit());
    });
  } else if (mode == "pings") {
    stamp_each(std::stoi(rest.at(1)), rest.at(2), result, [&] {
      console.write("uname -a\n", limit());
      console.expect(prompt, limit());
    });
  } else if (mode == "waits") {
    const std::array never{Pattern::regex("this never comes [0-9]+")};
    std::printf("ready\n"), std::fflush(stdout);
    console.try_expect(never, Deadline::in(std::chrono::seconds(std::stoi(rest.at(1)))));
  } else {
    std::printf("ready\n"), std::fflush(stdout);
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    int signal = 0;
    ::sigwait(&end, &signal);
  }
  result["rss_kib"] = resident_kib(), result["automaton_kib"] = automaton_kib;
  close(opened, result);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &end, nullptr);
  const std::string engine = argv[1], mode = argv[2], dir = argv[3], patterns = argv[4];
  const std::vector<std::string> rest(argv + 5, argv + argc);
  try {
    const auto result = engine == "read" ? read_mode(mode, rest) : hilcop_mode(mode, dir, patterns, rest);
    std::printf("%s\n", result.dump().c_str());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
