// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>

#include "base/interrupt.h"
#include "base/paths.h"
#include "bench/bench.h"
#include "capture/capture_ring.h"
#include "cli/bench_option.h"
#include "cli/command.h"
#include "cli/no_events.h"
#include "cli/stop_signals.h"
#include "fixtures/catalog.h"
#include "io/arrival.h"
#include "io/unique_fd.h"

namespace hilcop {
namespace {

constexpr const char* kName = "live";

struct Arguments {
  std::string bench, dut, file;
  double wait_s = 0, seconds = 0, file_mb = 100, file_s = 0;
  int ring = 0;  // files; 0: none
  bool power = false, usb = false;
};

/// What the network writes and we read.
class Fifo {
 public:
  Fifo() : path_(runtime_dir() / ("capture-" + std::to_string(::getpid()))) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw error_from_errno(errno, "capture", "cannot make the pipe " + path_.string());
    fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd_) throw error_from_errno(errno, "capture", "cannot open the pipe " + path_.string());
  }
  ~Fifo() { ::unlink(path_.c_str()); }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  const std::filesystem::path& path() const { return path_; }
  int fd() const { return fd_.get(); }

 private:
  std::filesystem::path path_;
  UniqueFd fd_;
};

constexpr int kLookMs = 100;  // how often it is seen that it is to end
constexpr int kNotWhole = 3;  // exit status: packets were dropped, an absence proves nothing

/// Hands on to standard output what comes through a pipe, in a thread of its own: the network waits for its reader also while it is asked
/// to stop. Ends when the pipe does, when whoever reads our output has gone, and with this object.
class HandingOn {
 public:
  explicit HandingOn(int pipe) : thread_([this, pipe](const std::stop_token& stop) { run(pipe, stop); }) {}
  /// True: all has been handed on, or nobody wants it. Throws Interrupted.
  bool ended_by(Deadline deadline) const { return ended_.wait(deadline); }

 private:
  void run(int pipe, const std::stop_token& stop) const {
    std::array<char, 65536> bytes;
    for (bool wanted = true; !stop.stop_requested();) {
      pollfd ready[] = {{pipe, POLLIN, 0}, {wanted ? 1 : -1, 0, 0}};
      if (::poll(ready, 2, kLookMs) <= 0) continue;
      if (ready[1].revents != 0) {  // whoever read it has gone, also while nothing is to be written
        wanted = false;
        ended_.announce();
      }
      if (ready[0].revents == 0) continue;
      const auto n = ::read(pipe, bytes.data(), bytes.size());
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n <= 0) break;
      if (!wanted || write_out(bytes.data(), static_cast<std::size_t>(n), stop)) continue;
      wanted = false;  // what comes is taken all the same: the network ends in its own time
      ended_.announce();
    }
    ended_.announce();
  }

  // False: whoever read it has gone. Never blocks for long: a pipe that can be written takes PIPE_BUF bytes (poll(2), pipe(7)).
  static bool write_out(const char* bytes, std::size_t count, const std::stop_token& stop) {
    while (count > 0 && !stop.stop_requested()) {
      pollfd writable{1, POLLOUT, 0};
      if (::poll(&writable, 1, kLookMs) <= 0) continue;
      const auto n = ::write(1, bytes, std::min<std::size_t>(count, PIPE_BUF));
      if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
      if (n > 0) bytes += n, count -= static_cast<std::size_t>(n);
    }
    return true;
  }

  Arrival ended_;
  std::jthread thread_;  // the last: it uses the other
};

void start(Dut& dut, const Arguments& arguments, const std::filesystem::path& file, const nlohmann::json& ring) {
  if (arguments.usb)
    dut.usb().start_capture(kName, file, capture_ring_from_json(ring, "capture " + file.string()));
  else
    dut.network().ask("capture.start", {{"name", kName}, {"file", file.string()}, {"ring", ring}}, Deadline::in(10s));
}

nlohmann::json stop(Dut& dut, const Arguments& arguments) {
  if (arguments.usb) return dut.usb().stop_capture(kName);
  return dut.network().ask("capture.stop", {{"name", kName}}, Deadline::in(10s));
}

// Whether all is there.
bool record(Dut& dut, const Arguments& arguments) {
  const auto until =
      Deadline::in(arguments.seconds > 0 ? Nanoseconds(static_cast<std::int64_t>(arguments.seconds * 1e9)) : Nanoseconds(24h * 365));
  std::optional<Fifo> pipe;
  if (arguments.file == "-") pipe.emplace();
  const auto file = pipe ? pipe->path() : std::filesystem::absolute(arguments.file);
  nlohmann::json ring;
  if (arguments.ring != 0) ring = {{"file_bytes", arguments.file_mb * 1e6}, {"files", arguments.ring}, {"file_s", arguments.file_s}};
  start(dut, arguments, file, ring);
  std::optional<HandingOn> handing_on;
  if (pipe) handing_on.emplace(pipe->fd());
  if (arguments.power) dut.power().on(Deadline::in(60s));
  std::fprintf(stderr, "capture of %s: Ctrl-C ends it\n", dut.config().name.c_str());
  try {
    handing_on ? static_cast<void>(handing_on->ended_by(until)) : wait_until(until);
  } catch (const Interrupted&) {
    clear_interrupt();
  }
  const auto figures = stop(dut, arguments);
  if (handing_on) handing_on->ended_by(Deadline::in(10s));  // the network has closed its end
  std::fprintf(stderr, "capture of %s: %llu packets, %llu dropped\n", dut.config().name.c_str(),
               figures.at("packets").get<unsigned long long>(), figures.at("dropped").get<unsigned long long>());
  if (const auto n = figures.at("snapped").get<unsigned long long>(); n != 0)
    std::fprintf(stderr, "capture of %s: of %llu packets not all bytes are there\n", dut.config().name.c_str(), n);
  if (arguments.ring != 0)
    std::fprintf(stderr, "capture of %s: %zu files are kept, from %s on; %llu packets went with %llu older ones\n",
                 dut.config().name.c_str(), figures.at("files").size(),
                 to_iso8601(UtcTime(Nanoseconds(figures.at("begins_utc_ns").get<std::int64_t>()))).c_str(),
                 figures.at("packets_removed").get<unsigned long long>(), figures.at("files_removed").get<unsigned long long>());
  if (!figures.at("failure").is_null()) throw Error::from_json(figures["failure"]);
  return figures.at("dropped") == 0 && figures.at("snapped") == 0;
}

}  // namespace

void add_capture(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("capture", "record a DUT's network traffic, or USB's: `hilcop capture DUT -w - | wireshark -k -i -`");
  command->add_option("DUT", arguments->dut, "a DUT of the bench")->required();
  command->add_option("-w,--write", arguments->file, "pcapng file to make; -: standard output")->required()->type_name("FILE");
  command->add_flag("--usb", arguments->usb, "what passes on USB between this host and the DUT, instead of its network (usbmon)");
  command->add_flag("--power", arguments->power, "switch the power on, once it is recorded");
  command->add_option("--seconds", arguments->seconds, "end after so long (default: at Ctrl-C)")->check(CLI::PositiveNumber);
  auto* ring = command->add_option("--ring", arguments->ring, "keep the newest N files alone, named after FILE")->type_name("N");
  ring->check(CLI::Range(CaptureRing::kLeastFiles, CaptureRing::kMostFiles));
  command->add_option("--file-mb", arguments->file_mb, "of a ring: a file's megabytes (10^6 bytes), at most (default: 100)")
      ->check(CLI::Range(CaptureRing::kLeastBytes / 1e6, CaptureRing::kMostBytes / 1e6))
      ->needs(ring);
  command->add_option("--file-s", arguments->file_s, "of a ring: seconds after which a new file begins, too")
      ->check(CLI::Range(1.0, 604800.0))
      ->needs(ring);
  add_wait_option(*command, arguments->wait_s);
  add_bench_option(*command, arguments->bench);
  command->callback([arguments, &status] {
    if (arguments->ring != 0 && arguments->file == "-") throw CLI::ValidationError("--ring", "standard output is no ring of files");
    stop_on_signals();
    std::signal(SIGPIPE, SIG_IGN);
    NoEvents sink;
    OpenOptions options;
    options.duts = {arguments->dut};
    options.holder = "hilcop capture";
    wait_as_asked(options, arguments->wait_s);
    auto bench = Bench::open(load_bench(arguments->bench), options, all_drivers(), sink);
    const bool whole = record(bench->dut(arguments->dut), *arguments);
    bench->close();
    status = whole ? 0 : kNotWhole;
  });
}

}  // namespace hilcop
