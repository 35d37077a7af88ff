// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "console/hit_log.h"
#include "console/pattern.h"
#include "console/real_io_loop.h"
#include "console/recorder.h"
#include "console/watch_matcher.h"
#include "console/window.h"

namespace hilcop {

/// Transport -> Recorder -> WatchMatcher -> waiters, under one lock per console. The I/O thread reads, unless a waiter has
/// borrowed the descriptor: then the waiter does, which spares it a thread hop.
class RealConsole final : public Console, private Polled {
 public:
  RealConsole(std::unique_ptr<ByteStream> stream, ConsoleOptions options, RealIoLoop& loop, EventSink& sink);
  ~RealConsole() override;

  Match expect(std::span<const Pattern> patterns, Deadline deadline) override;
  std::optional<Match> try_expect(std::span<const Pattern> patterns, Deadline deadline) override;
  std::uint64_t mark() override;
  void write(std::string_view bytes, Deadline deadline) override;
  void write_line(std::string_view line, Deadline deadline) override { write(std::string(line) + options_.line_end, deadline); }
  void write_secret(std::string_view line, Deadline deadline) override { send(std::string(line) + options_.line_end, "", deadline); }
  CommandResult run(std::string_view command, Deadline deadline) override;
  Reply ask(std::string_view line, Deadline deadline) override;
  void login(Deadline deadline) override;
  bool wait_silence(Nanoseconds quiet, Deadline deadline, SteadyTime since = {}) override;
  void check_alive(std::uint64_t offset) const override;
  SteadyTime last_byte_at() const override;
  bool connected_since(SteadyTime when) const override;
  void set_line(ModemLine line, bool asserted) override;
  void send_break(std::chrono::milliseconds length) override;
  std::vector<WatcherHit> hits_since(std::uint64_t offset) const override;
  WatcherHit wait_watcher(const std::string& watcher, std::uint64_t offset, Deadline deadline) override;
  void power_changed(bool on) override;
  void power_going(std::optional<SteadyTime> when) override;
  void power_came(SteadyTime when) override;
  void fail(const Error& why) override;
  std::uint64_t offset() const override;
  std::vector<Gap> gaps_since(std::uint64_t offset) override;
  std::optional<Sending> sent_since(std::uint64_t offset) const override;
  std::string bytes(ByteSpan span) const override;
  const std::string& source() const override { return options_.source; }
  const std::string& stream_name() const override { return stream_name_; }
  void flush() override;
  void close() override;

 private:
  class Turn;        // of waiting: borrows the descriptor, or waits for who has it
  class Controlled;  // while it lives, the I/O thread leaves this console alone
  struct Expectation {
    std::shared_ptr<const CompiledPattern> pattern;
    std::uint64_t from;
  };
  struct Seen {  // and not yet judged
    std::size_t pattern;
    Found found;
  };

  // `shown`: what the timeline has of it.
  void send(std::string_view bytes, const std::string& shown, Deadline deadline);

  // repl.cc
  Error no_interpreter(const std::string& call, const std::string& needs) const;
  bool type_echoed(std::string_view text, Deadline deadline);
  bool says_word(Deadline deadline);
  void reach_prompt(Deadline deadline);
  bool line_ends_at(std::uint64_t offset) const;
  void login_to_shell(Deadline deadline);

  std::size_t on_readable() override;
  void on_tick(SteadyTime now) override;

  // The rest with the lock held.
  std::size_t read_available();
  void receive(std::string_view bytes);
  bool watch(const std::function<std::vector<WatchMatcher::Hit>()>& scan);
  void announce(const std::vector<WatchMatcher::Hit>& hits);
  void lose(const Error& why);
  void add_gap(Gap gap);
  void check_usable() const;
  void check_connected() const;
  void wake_waiters() const;
  std::optional<Seen> look(std::vector<Expectation>& wanted, bool complete) const;
  const WatcherHit* fatal_since(std::uint64_t offset) const;
  Match take(const Seen& seen);
  std::string tail() const;
  std::optional<Match> await(std::span<const Pattern> patterns, Deadline deadline);
  void take_waiting();
  void catch_up();
  void check_line(SteadyTime now);
  void note_counters(SteadyTime now);
  bool power_takes(SteadyTime at) const;
  bool deaf() const;
  Gap not_back() const;
  void tell_absence(SteadyTime until, const std::string& detail);
  void hold_lines(ByteStream& stream, bool powered) const;  // needs no lock
  void hold_lines_now();                                    // takes it
  template <typename Action>
  void control(const Action& action);

  // reopening.cc
  void begin_reopening();
  void keep_open();
  std::unique_ptr<ByteStream> try_reopen(std::unique_ptr<ByteStream> again, bool powered);
  void take_again(std::unique_ptr<ByteStream> again);
  void end_reopening();

  Error died(const WatcherHit& hit) const;

  mutable std::mutex mutex_;
  std::unique_ptr<ByteStream> stream_;
  ConsoleOptions options_;
  std::string stream_name_;
  RealIoLoop& loop_;
  EventSink& sink_;
  mutable Recorder recorder_;
  std::unique_ptr<WatchMatcher> matcher_;
  Window window_;
  HitLog hits_;
  std::vector<Gap> gaps_;
  std::deque<Sending> sent_;  // the first at each offset; the newest
  std::optional<Sending> sent_dropped_;
  SteadyTime last_byte_at_, last_check_{}, power_changed_at_{}, power_edge_until_{}, lost_at_{}, connected_at_{};
  std::optional<SteadyTime> power_going_, power_came_;  // since the last power_changed(true), or false
  bool powered_, borrowed_ = false, quiet_scanned_ = true;
  bool power_came_told_ = false;     // by power_came(), not guessed
  bool excused_ = false;             // something was taken for the power's doing while it was going
  std::string lost_as_;              // cause of the loss that lasts
  std::atomic<int> controlled_ = 0;  // a line moves or a break is sent: that may take a second
  std::optional<Error> lost_, failed_, not_reopened_;
  LineCounters counters_;
  std::list<int> waiting_;  // eventfds of those who wait while another borrows
  std::condition_variable reopen_;
  bool closing_ = false, reopen_at_once_ = false;
  std::thread reopener_;
};

}  // namespace hilcop
