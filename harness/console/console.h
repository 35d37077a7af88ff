// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/event.h"
#include "io/byte_stream.h"

namespace hilcop {

class IoLoop;

/// What to look for. A regex is PCRE syntax; `.*` ends at its line and after 4,096 bytes; what could cross lines without bound
/// is refused (Error{Config} with the reason). A literal is bytes.
struct Pattern {
  enum class Kind { Literal, Regex };
  Kind kind = Kind::Regex;
  std::string text;
  static Pattern literal(std::string text) { return {Kind::Literal, std::move(text)}; }
  static Pattern regex(std::string text) { return {Kind::Regex, std::move(text)}; }
};

/// Offsets into the console's recording (<dut>-<console>.raw): the trace from a verdict to bytes.
struct ByteSpan {
  std::uint64_t begin = 0, end = 0;
};

struct Match {
  std::size_t pattern = 0;  // index into the patterns that were given
  ByteSpan span;
  std::string text;                 // the bytes matched
  std::vector<std::string> groups;  // captures 1..n; empty where one did not take part
  std::string before;               // bytes since the previous match or mark, at most the last 64 KiB
  SteadyTime at;                    // when the last byte of the match arrived
};

/// A watcher is always armed. `fatal`: it ends any wait at once (Error{Protocol} "died: ..."), with what was seen.
struct Watcher {
  std::string name;  // "kernel-panic", "stage:userland"
  Pattern pattern;
  bool fatal = false;
};

/// Kernel panic, oops, watchdog reset, out of memory, file-system error: armed on every console of a board that runs Linux.
std::vector<Watcher> linux_watchers();

/// A watcher's finding. Delivered in order, once each.
struct WatcherHit {
  std::string watcher;
  ByteSpan span;
  std::string line;  // the whole line it stands in, as far as received (as `span` is, of a pattern that could go on)
  SteadyTime at;
};

/// A hole in the recording: an absence in a window with a gap proves nothing.
struct Gap {
  // "powered_off", "deaf" (the board had power again, its own adapter was not back), "lost", "overrun", "framing", "break", "disk_full",
  // "unwatched" (a watcher could not decide)
  std::string cause;
  std::uint64_t offset = 0;
  SteadyTime begin, end;  // end == begin: an instant
  std::string detail;
};

/// Something was sent when so much had been received.
struct Sending {
  std::uint64_t offset = 0;
  SteadyTime at;
};

struct CommandResult {
  int exit_status = 0;
  std::string output;  // without markers, echo and interleaved kernel lines; line ends are "\n"
  std::string kernel;  // the kernel text that cut in, by line
  ByteSpan span;
  Nanoseconds elapsed{};
};

/// What an interpreter printed after one line (ask).
struct Reply {
  std::string output;  // without echo and prompt; line ends are "\n"
  ByteSpan span;
  Nanoseconds elapsed{};
};

struct TransmitPacing {
  std::size_t chunk_bytes = 0;  // 0: no pacing
  Nanoseconds pause{};          // between chunks
};

struct ShellFraming {
  std::string prompt = "[#$] $";  // only to log in and to wake up: run() relies on its markers
  std::string login;              // empty: no log-in
  std::string password;
  std::string login_prompt = "login: *$";
  std::string password_prompt = "[Pp]assword: *$";
};

/// An interpreter that is no POSIX shell (MicroPython, a boot loader's or a product's own). It echoes what is typed.
struct ReplFraming {
  std::string prompt;     // at the end of what it prints
  std::string say;        // a line that makes it print {left} and {right} as one word: the proof that it, not an echo, speaks
  std::string interrupt;  // bytes that end what it does and drop a half-typed line ("\x03"); empty: it has none
};

/// How an adapter's lines stand with the DUT's power on and off (see LinesWhileOff); what is not given is left alone.
struct PowerLines {
  struct Levels {
    bool on = false, off = false;  // asserted
  };
  bool tx_low_while_off = false;
  std::optional<Levels> dtr, rts;
};

struct ConsoleOptions {
  std::string source;                // "board1/console": event source and file stem
  std::filesystem::path record_dir;  // empty: not recorded (still matched)
  std::vector<Watcher> watchers;
  TransmitPacing pacing;
  std::string line_end = "\n";  // what Enter sends
  PowerLines lines;
  std::optional<ShellFraming> shell = ShellFraming{};
  std::optional<ReplFraming> repl;  // used where there is no shell
  bool powered = true;              // the DUT, as far as is known, when the console is opened
  std::string board_file;           // for errors: where shell and repl are declared
  /// Called to open the stream again after it was lost, until it does, on a thread of the console's own that lives until close():
  /// which waits for a call that is under way. Empty: a lost stream ends the console.
  std::function<std::unique_ptr<ByteStream>()> reopen;
};

/// One serial console: records, matches and lets one borrower at a time talk.
/// Everything received since open is recorded, whether or not anybody waits. Thread-safe; waits block the caller only.
class Console {
 public:
  /// The loop must outlive the console. `sink` receives console.open, console.match, console.watch, console.gap, console.sent.
  static std::unique_ptr<Console> open(std::unique_ptr<ByteStream> stream, ConsoleOptions options, IoLoop& loop, EventSink& sink);
  virtual ~Console() = default;

  /// Waits until one of the patterns stands in the bytes since the previous match or mark, the leftmost first. Throws
  /// Error{Timeout} with the last lines seen, Error{Disconnected}, Error{Protocol} when a fatal watcher fires, Error{Exhausted} when a
  /// pattern takes too many steps, and Interrupted (interrupt.h) when the process is asked to stop.
  virtual Match expect(std::span<const Pattern> patterns, Deadline deadline) = 0;
  /// The same; nullopt at the deadline.
  virtual std::optional<Match> try_expect(std::span<const Pattern> patterns, Deadline deadline) = 0;
  /// Everything received until now is judged no more. Returns the offset.
  virtual std::uint64_t mark() = 0;

  /// Sends bytes, paced. Returns when the transport took them all. Throws Error{Timeout}, Error{Disconnected}.
  virtual void write(std::string_view bytes, Deadline deadline) = 0;
  /// write(line and the board's line end).
  virtual void write_line(std::string_view line, Deadline deadline) = 0;
  /// write_line(); the timeline has its length alone. A device that echoes it has it in the recording.
  virtual void write_secret(std::string_view line, Deadline deadline) = 0;

  /// Runs a POSIX shell command framed by unique markers. The shell must be at a prompt (see login). Never mistakes an echo,
  /// a stale reply or kernel text for the answer. Throws Error{Timeout} with what was seen, Error{Unsupported} on a board without a
  /// shell; a non-zero status is no error.
  virtual CommandResult run(std::string_view command, Deadline deadline) = 0;
  /// One line to whatever interpreter the board has: its shell (as run(), whatever the status) or its REPL, which must be at
  /// its prompt. A line is carried out only if it arrived whole; an echo is never taken for the reply. Throws Error{Timeout} with
  /// what was seen, Error{Protocol} when the line keeps arriving damaged, Error{Unsupported} where there is no interpreter.
  virtual Reply ask(std::string_view line, Deadline deadline) = 0;
  /// Gets a shell: wakes the line, logs in if asked, and proves it by a run() of its own. Without one: gets the REPL's prompt, and
  /// proves it. Throws Error{Unsupported} where there is no interpreter.
  virtual void login(Deadline deadline) = 0;

  /// Waits until nothing has arrived for `quiet`, counted from `since` at the earliest. Returns false at the deadline, and when the
  /// line is lost: then nothing could arrive, which proves nothing.
  virtual bool wait_silence(Nanoseconds quiet, Deadline deadline, SteadyTime since = {}) = 0;
  virtual SteadyTime last_byte_at() const = 0;
  /// Whether the line was there all the time since then.
  virtual bool connected_since(SteadyTime when) const = 0;

  virtual void set_line(ModemLine line, bool asserted) = 0;
  virtual void send_break(std::chrono::milliseconds length) = 0;

  /// Watcher hits after `offset`, and a wait for the next hit of one watcher at or after `offset`.
  virtual std::vector<WatcherHit> hits_since(std::uint64_t offset) const = 0;
  virtual WatcherHit wait_watcher(const std::string& watcher, std::uint64_t offset, Deadline deadline) = 0;
  /// Throws Error{Protocol} if a fatal watcher fired at or after `offset`, whatever came later.
  virtual void check_alive(std::uint64_t offset) const = 0;
  /// The board's power went, or is about to come: a loss of the stream in between is recorded as powered_off, not as lost. Moves the
  /// lines that are held while it is off, and waits for a terminal server to do so. Throws Error where that fails; all else is done.
  virtual void power_changed(bool on) = 0;
  /// The power is being switched off, and may go at any time from `when` on: what is lost then is recorded as after power_changed(false).
  /// nullopt: that failed; what was taken for the power's doing counts as lost.
  virtual void power_going(std::optional<SteadyTime> when) = 0;
  /// When the power came that power_changed(true) announced: from then on a stream that is not back is deaf.
  virtual void power_came(SteadyTime when) = 0;
  /// The device behind the line is known to be gone (its virtual machine died): every wait ends with this error until power_changed.
  virtual void fail(const Error& why) = 0;

  virtual std::uint64_t offset() const = 0;  // bytes received since open
  /// Up to this moment: takes in what the line has said and what its driver has counted. A line that has not come back with the power
  /// counts as lost while it has not.
  virtual std::vector<Gap> gaps_since(std::uint64_t offset) = 0;
  /// The first sending since `offset` had been received; nullopt: nothing was sent since.
  virtual std::optional<Sending> sent_since(std::uint64_t offset) const = 0;
  /// Recorded bytes, for judging a window again: at most 64 MiB. Reads the recording, or what is kept in memory (last 1 MiB).
  virtual std::string bytes(ByteSpan span) const = 0;
  virtual const std::string& source() const = 0;
  virtual const std::string& stream_name() const = 0;
  /// Takes in what the line has said and its driver has counted, pushes the recording to the file and syncs it. Called by the loop at
  /// least every 100 ms without the sync.
  virtual void flush() = 0;
  /// Flushes and gives the line back: later waits and writes throw Error{Disconnected}; what was received can still be read.
  virtual void close() = 0;
};

}  // namespace hilcop
