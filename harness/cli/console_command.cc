// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "bench/bench.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/stop_signals.h"
#include "cli/watch.h"
#include "fixtures/catalog.h"

namespace hilcop {
namespace {

constexpr char kEscape = 0x1d;  // Ctrl-], as in telnet

// The terminal in raw mode; as it was when this object dies, however that comes.
class RawTerminal {
 public:
  RawTerminal() {
    if (::tcgetattr(0, &before_) != 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    changed_ = ::tcsetattr(0, TCSANOW, &raw) == 0;
  }
  ~RawTerminal() {
    if (changed_) ::tcsetattr(0, TCSANOW, &before_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

class ToTerminal final : public EventSink {
 public:
  void emit(Event) override {}
  void console_bytes(const std::string&, std::uint64_t, std::span<const std::byte> bytes) override {
    [[maybe_unused]] const auto n = ::write(1, bytes.data(), bytes.size());
  }
};

struct Arguments {
  std::string bench, dut, log;
  double wait_s = 0;
  bool watch = false, power = false;
};

// Types what the terminal gives until Ctrl-] q. p switches power, b sends a break.
void talk(Dut& dut) {
  const auto limit = [] { return Deadline::in(30s); };
  bool escaped = false;
  while (true) {
    if (!wait_ready(0, POLLIN, Deadline::in(3600s))) continue;
    std::array<char, 512> typed;
    const auto n = ::read(0, typed.data(), typed.size());
    if (n <= 0) return;
    std::string send;
    for (ssize_t i = 0; i < n; ++i) {
      const char c = typed[static_cast<std::size_t>(i)];
      if (!std::exchange(escaped, false)) {
        if (c == kEscape)
          escaped = true;
        else
          send += c;
      } else if (c == 'q') {
        return;
      } else if (c == 'b') {
        dut.console().send_break(250ms);
      } else if (c == 'p') {
        if (dut.power().state(limit()) == true)
          dut.power().off(nlohmann::json::object(), limit());
        else
          dut.power().on(limit());
      } else if (c == kEscape) {
        send += c;
      }
    }
    if (!send.empty()) dut.console().write(send, limit());
  }
}

}  // namespace

void add_console(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command =
      app.add_subcommand("console", "a terminal on a DUT's main console; Ctrl-] then q ends it, p switches power, b sends a break");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  command->add_option("--log", arguments->log, "directory to record to")->type_name("DIR");
  command->add_flag("--watch", arguments->watch, "look at what a run receives, beside it and read-only");
  command->add_flag("--power", arguments->power, "switch the power on first");
  add_wait_option(*command, arguments->wait_s);
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    stop_on_signals();
    auto config = load_bench(arguments->bench);
    if (arguments->watch && config.duts.contains(arguments->dut)) {
      status = watch_console(config.name, arguments->dut);
      return;
    }
    ToTerminal sink;
    OpenOptions options;
    options.duts = {arguments->dut};
    options.holder = "hilcop console";
    options.record_dir = arguments->log;
    wait_as_asked(options, arguments->wait_s);
    auto bench = Bench::open(std::move(config), options, all_drivers(), sink);
    std::fprintf(stderr, "console of %s: Ctrl-] then q ends it, p switches power, b sends a break\n", arguments->dut.c_str());
    {
      const RawTerminal raw;
      auto& dut = bench->dut(arguments->dut);
      if (arguments->power) dut.power().on(Deadline::in(60s));
      talk(dut);
    }
    bench->close();
    std::fprintf(stderr, "\nconsole of %s closed\n", arguments->dut.c_str());
    status = 0;
  });
}

}  // namespace hilcop
