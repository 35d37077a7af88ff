// SPDX-License-Identifier: Apache-2.0
// Network consoles against ser2net, whose serial port is a pseudo-terminal: a bare one, on which it cannot move a modem line and answers
// no SET-CONTROL, and one with modem lines.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/error_of.h"
#include "fakes/loopback_socket.h"
#include "fakes/memory_sink.h"
#include "fakes/pty_port.h"
#include "io/child_process.h"
#include "io/command_stream.h"
#include "io/rfc2217_stream.h"
#include "io/socket_stream.h"

namespace hilcop {
namespace {

using testing::HasSubstr;

std::string read_text(ByteStream& stream, std::size_t bytes) {
  std::string text;
  std::array<std::byte, 65536> buffer;
  const Deadline deadline = Deadline::in(10s);
  while (text.size() < bytes && wait_ready(stream.fd(), POLLIN, deadline)) {
    const auto n = stream.read_some(buffer);
    text.append(reinterpret_cast<const char*>(buffer.data()), n);
  }
  return text;
}

void write(ByteStream& stream, std::string_view text) {
  const Deadline deadline = Deadline::in(10s);
  while (!text.empty() && !deadline.expired()) {
    text.remove_prefix(stream.write_some(std::as_bytes(std::span(text))));
    if (!text.empty()) wait_ready(stream.write_fd(), POLLOUT, deadline);
  }
}

std::string all_bytes(int times) {
  std::string text;
  for (int i = 0; i < 256 * times; ++i) text += static_cast<char>(i);
  return text;
}

class Ser2netTest : public testing::Test {
 protected:
  void start(const std::string& accepter, bool modem_lines) {
    std::ofstream(dir_ / "ser2net.yaml") << "connection: &c1\n  accepter: " << accepter << "tcp,127.0.0.1," << port_
                                         << "\n  connector: serialdev," << device_.terminal()
                                         << ",115200n81,local\n  options:\n    chardelay: false\n";
    ProcessOptions options;
    options.program = "/usr/sbin/ser2net";
    options.arguments = {"-n", "-u", "-c", dir_ / "ser2net.yaml", "-P", dir_ / "pid"};
    options.capture_output = true;
    if (modem_lines) options.environment["LD_PRELOAD"] = PTY_MODEM_LINES;
    server_ = ChildProcess::start(std::move(options));
    // Its one client at a time is to be ours: whether it listens is seen in /proc.
    char listening[32];
    std::snprintf(listening, sizeof listening, "0100007F:%04X 00000000:0000 0A", static_cast<unsigned>(port_));
    const Deadline deadline = Deadline::in(10s);
    while (!deadline.expired()) {
      std::ifstream file("/proc/net/tcp");
      const std::string text(std::istreambuf_iterator<char>(file), {});
      if (text.find(listening) != std::string::npos) return;
      ASSERT_TRUE(server_->running()) << server_->output();
      wait_until(deadline.at_most(10ms));
    }
    FAIL() << "ser2net does not listen: " << server_->output();
  }
  std::unique_ptr<Rfc2217Stream> open(std::chrono::milliseconds answer, SerialSettings settings = {}) const {
    return open_rfc2217_stream({.host = "127.0.0.1", .port = port_, .settings = settings, .answer = answer}, Deadline::in(60s));
  }

  TempDir dir_;
  PtyPort device_;
  int port_ = free_port();
  std::unique_ptr<ChildProcess> server_;
};

TEST_F(Ser2netTest, OnABarePseudoTerminalItGoesOnWithoutTheLinesAndSaysSo) {
  start("telnet(rfc2217),", false);
  const auto stream = open(2s);
  EXPECT_THAT(stream->remark(), HasSubstr("ser2net"));
  EXPECT_THAT(stream->remark(), HasSubstr("does not confirm"));
  EXPECT_THAT(stream->remark(), HasSubstr("DTR"));
  EXPECT_EQ(stream->remark().find("baud"), std::string::npos) << stream->remark();
  const auto bytes = all_bytes(4);
  device_.says(bytes);
  EXPECT_TRUE(read_text(*stream, bytes.size()) == bytes);
  write(*stream, bytes);
  EXPECT_TRUE(device_.hears(bytes.size()) == bytes);
}

TEST_F(Ser2netTest, WithModemLinesEverythingIsConfirmed) {
  start("telnet(rfc2217),", true);
  const auto stream = open(30s, {.baud = 921600, .dtr = false});
  EXPECT_EQ(stream->remark().find("does not confirm"), std::string::npos) << stream->remark();
  const auto begin = real_clock().now();
  stream->set_line(ModemLine::Dtr, true);
  stream->set_line(ModemLine::Rts, false);
  stream->send_break(10ms);
  stream->purge(true, false);
  EXPECT_LT(real_clock().now() - begin, 20s) << "an answer was waited for that did not come";
  EXPECT_TRUE(stream->modem_input(ModemInput::Cts).has_value());
  EXPECT_TRUE(stream->line_counters().has_value());
  const auto bytes = all_bytes(4);
  device_.says(bytes);
  EXPECT_TRUE(read_text(*stream, bytes.size()) == bytes);
}

TEST_F(Ser2netTest, AnotherClientIsBusy) {
  start("telnet(rfc2217),", true);
  const auto first = open(5s);
  const auto error = error_of([&] { open(5s); });
  EXPECT_EQ(error.kind(), ErrorKind::Busy) << error.what();
}

TEST_F(Ser2netTest, WhenItDiesTheConsoleGoesOnOnceItIsThereAgain) {
  start("telnet(rfc2217),", true);
  MemorySink sink;
  const auto loop = IoLoop::start();
  ConsoleOptions options;
  options.source = "board1/main";
  options.reopen = [&] { return open(2s); };
  const auto console = Console::open(open(5s), options, *loop, sink);
  const auto expect = [&](const std::string& text) {
    const std::array patterns{Pattern::literal(text)};
    EXPECT_NO_THROW(console->expect(patterns, Deadline::in(10s)));
  };
  device_.says("before\xff\n");
  expect("before\xff");
  server_->kill();
  const auto until_gaps = [&](std::size_t count) {
    const Deadline deadline = Deadline::in(20s);
    while (console->gaps_since(0).size() < count && !deadline.expired()) wait_until(deadline.at_most(5ms));
  };
  until_gaps(1);
  start("telnet(rfc2217),", true);
  until_gaps(2);
  device_.says("after\n");
  expect("after");
  const auto gaps = console->gaps_since(0);
  ASSERT_EQ(gaps.size(), 2u);
  EXPECT_EQ(gaps[0].cause, "lost");
  EXPECT_THAT(gaps[1].detail, HasSubstr("opened again: ser2net"));
}

TEST_F(Ser2netTest, ARawPortIsATcpConsole) {
  start("", false);
  const auto stream = open_tcp_stream("127.0.0.1", port_, "console", Deadline::in(5s));
  // It opens its port for a client, and nobody tells when it has: what it passes on says so.
  write(*stream, "x");
  ASSERT_EQ(device_.hears(1), "x");
  const auto bytes = all_bytes(4);
  device_.says(bytes);
  EXPECT_TRUE(read_text(*stream, bytes.size()) == bytes);
  write(*stream, bytes);
  EXPECT_TRUE(device_.hears(bytes.size()) == bytes);
}

TEST_F(Ser2netTest, TelnetAsACommandReachesTheLine) {
  start("telnet,", false);
  CommandOptions telnet;
  telnet.program = "telnet";
  telnet.arguments = {"-E", "127.0.0.1", std::to_string(port_)};
  const auto stream = open_command_stream(telnet);
  // Its own words come first ("Trying...", "Connected to...").
  std::string seen;
  const auto until_seen = [&](const std::string& text) {
    const Deadline deadline = Deadline::in(20s);
    while (seen.find(text) == std::string::npos && !deadline.expired()) seen += read_text(*stream, 1);
  };
  until_seen("Connected");
  write(*stream, "root\r");
  EXPECT_THAT(device_.hears(5), HasSubstr("root\r"));
  device_.says("login: ");
  until_seen("login: ");
  EXPECT_THAT(seen, HasSubstr("login: "));
  server_->kill();
  const auto error = error_of([&] {
    for (const Deadline deadline = Deadline::in(20s); !deadline.expired();) read_text(*stream, 1), stream->check_present();
  });
  EXPECT_EQ(error.kind(), ErrorKind::Disconnected);
  EXPECT_THAT(error.what(), HasSubstr("the program has ended"));
}

}  // namespace
}  // namespace hilcop
