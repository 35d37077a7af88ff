// SPDX-License-Identifier: Apache-2.0
// The receiving half: what the I/O thread (or a borrower) does with bytes, losses and silence.
#include "console/real_console.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/interrupt.h"
#include "console/text.h"

namespace hilcop {
namespace {

constexpr std::size_t kRead = 64 * 1024;
constexpr Nanoseconds kPresenceEvery = 500ms;
constexpr Nanoseconds kQuiet = 20ms;
constexpr std::size_t kMostWaiting = 1u << 20;  // more than the kernel keeps of a line

}  // namespace

std::unique_ptr<Console> Console::open(std::unique_ptr<ByteStream> stream, ConsoleOptions options, IoLoop& loop, EventSink& sink) {
  return std::make_unique<RealConsole>(std::move(stream), std::move(options), dynamic_cast<RealIoLoop&>(loop), sink);
}

RealConsole::RealConsole(std::unique_ptr<ByteStream> stream, ConsoleOptions options, RealIoLoop& loop, EventSink& sink)
    : stream_(std::move(stream)),
      options_(std::move(options)),
      stream_name_(stream_->name()),
      loop_(loop),
      sink_(sink),
      recorder_(options_.record_dir, options_.source),
      matcher_(WatchMatcher::make(options_.watchers)),
      window_(recorder_),
      hits_("watchers of console " + options_.source),
      last_byte_at_(real_clock().now()),
      last_check_(last_byte_at_),
      powered_(options_.powered) {
  auto names = nlohmann::json::array();
  for (const auto& watcher : options_.watchers) names.push_back(watcher.name);
  const std::string file = options_.record_dir.empty() ? "" : file_stem(options_.source) + ".raw";
  sink_.emit(make_event(
      options_.source, "console.open",
      {{"stream", stream_name_}, {"remark", stream_->remark()}, {"file", file}, {"watchers", names}, {"offset", window_.end()}}));
  loop_.watch(stream_->fd(), this);
  loop_.add(this);
}

RealConsole::~RealConsole() {
  loop_.remove(this);
  end_reopening();
  const std::scoped_lock lock(mutex_);
  recorder_.flush(true);
}

std::size_t RealConsole::on_readable() {
  if (controlled_) return 0;  // all consoles would wait for it
  const std::scoped_lock lock(mutex_);
  // A borrower took it between epoll_wait and here: the bytes are its to read.
  return borrowed_ ? 0 : read_available();
}

std::size_t RealConsole::read_available() {
  if (!stream_) return 0;
  // Of the thread, not of the console: hundreds of consoles share it.
  thread_local std::array<char, kRead> buffer;
  try {
    const auto n = stream_->read_some(std::as_writable_bytes(std::span(buffer)));
    if (n > 0) receive(std::string_view(buffer.data(), n));
    return n;
  } catch (const Error& error) {
    lose(error);
  } catch (const Interrupted&) {
    return 0;  // who waits is told by its own wait, and what is there is read next
  } catch (const std::exception& error) {
    lose(Error(ErrorKind::Protocol, stream_name_, error.what()));
  }
  return 0;
}

// What the kernel has by now; who never stops speaking does not hold it up.
void RealConsole::take_waiting() {
  for (std::size_t n = 1, got = 0; n > 0 && got < kMostWaiting; got += n) n = read_available();
}

// Before anybody judges: a loss that nobody has looked for yet is a loss all the same.
void RealConsole::catch_up() {
  take_waiting();
  if (stream_) check_line(real_clock().now());
}

void RealConsole::receive(std::string_view bytes) {
  const auto steady = real_clock().now();
  recorder_.append(bytes, steady, real_clock().utc_now());
  sink_.console_bytes(options_.source, window_.end(), std::as_bytes(std::span(bytes)));
  window_.append(bytes);
  last_byte_at_ = steady;
  quiet_scanned_ = false;
  watch([&] { return matcher_->scan(bytes, window_.text(), window_.begin()); });
  wake_waiters();
}

// True if there is news. What a watcher cannot decide it may have missed: an absence proves nothing then, and waits end with the reason.
bool RealConsole::watch(const std::function<std::vector<WatchMatcher::Hit>()>& scan) {
  try {
    const auto found = scan();
    announce(found);
    return !found.empty();
  } catch (const Error& error) {
    failed_ = error;
    const auto now = real_clock().now();
    add_gap({"unwatched", window_.end(), now, now, error.object() + " " + error.cause()});
    return true;
  }
}

void RealConsole::announce(const std::vector<WatchMatcher::Hit>& found) {
  for (const auto& hit : found) {
    const auto& watcher = options_.watchers[hit.watcher];
    WatcherHit entry{watcher.name, hit.span, line_around(window_.text(), hit.span.begin - window_.begin(), hit.span.end - window_.begin()),
                     last_byte_at_};
    sink_.emit({entry.at,
                real_clock().utc_now(),
                options_.source,
                "console.watch",
                {{"watcher", entry.watcher}, {"begin", entry.span.begin}, {"end", entry.span.end}, {"line", entry.line}}});
    hits_.add(std::move(entry), watcher.fatal, window_.end());
  }
}

void RealConsole::add_gap(Gap gap) {
  gap.offset = window_.end();
  excused_ |= power_going_ && gap.cause == "powered_off";
  recorder_.note_gap(gap);
  sink_.emit(make_event(
      options_.source, "console.gap",
      {{"cause", gap.cause}, {"offset", gap.offset}, {"begin_ns", to_ns(gap.begin)}, {"end_ns", to_ns(gap.end)}, {"detail", gap.detail}}));
  gaps_.push_back(std::move(gap));
}

void RealConsole::lose(const Error& why) {
  lost_at_ = real_clock().now();
  try {
    note_counters(lost_at_);
  } catch (const std::exception&) {
    last_check_ = lost_at_;  // they went with it
  }
  stream_.reset();
  lost_ = why;
  lost_as_ = power_takes(lost_at_) ? "powered_off" : "lost";
  add_gap({lost_as_, window_.end(), lost_at_, lost_at_, why.cause()});
  if (options_.reopen) begin_reopening();
  wake_waiters();
}

void RealConsole::on_tick(SteadyTime now) {
  if (controlled_) return;
  const std::scoped_lock lock(mutex_);
  recorder_.on_tick(now);
  if (recorder_.failure() &&
      (gaps_.empty() || std::none_of(gaps_.begin(), gaps_.end(), [](const Gap& g) { return g.cause == "disk_full"; })))
    add_gap({"disk_full", window_.end(), now, now, recorder_.failure()->cause()});
  if (!quiet_scanned_ && now - last_byte_at_ >= kQuiet) {
    quiet_scanned_ = true;
    if (watch([&] { return matcher_->scan_quiet(window_.text(), window_.begin()); })) wake_waiters();
  }
  if (stream_ && now - last_check_ >= kPresenceEvery) check_line(now);
}

void RealConsole::check_line(SteadyTime now) {
  try {
    stream_->check_present();
    note_counters(now);
  } catch (const Error& error) {
    lose(error);
  } catch (const Interrupted&) {
    return;  // it is looked at again
  } catch (const std::exception& error) {
    lose(Error(ErrorKind::Protocol, stream_name_, error.what()));
  }
}

void RealConsole::note_counters(SteadyTime now) {
  const auto counters = stream_->line_counters();
  const auto previous_check = std::exchange(last_check_, now);
  if (!counters || *counters == counters_) return;
  const auto before = std::exchange(counters_, *counters);
  // A line that loses its driver falls: what the UART makes of that is the power's doing, no loss of what a device said. An
  // overrun is one, unless there was no power all the time.
  const bool off_all_the_time = !powered_ && power_changed_at_ <= previous_check;
  const bool edge = power_takes(now) || previous_check < power_edge_until_;
  const auto note = [&](const char* cause, bool by_power, std::uint64_t then, std::uint64_t after) {
    const std::string detail = std::string(cause) + ": " + std::to_string(after - then);
    if (after != then) add_gap({by_power ? "powered_off" : cause, window_.end(), previous_check, now, detail});
  };
  note("overrun", off_all_the_time, before.overrun + before.buffer_overrun, counters->overrun + counters->buffer_overrun);
  note("framing", edge, before.framing + before.parity, counters->framing + counters->parity);
  note("break", edge, before.breaks, counters->breaks);
}

SteadyTime RealConsole::last_byte_at() const {
  const std::scoped_lock lock(mutex_);
  return last_byte_at_;
}

bool RealConsole::connected_since(SteadyTime when) const {
  const std::scoped_lock lock(mutex_);
  return stream_ != nullptr && connected_at_ <= when;
}

std::vector<WatcherHit> RealConsole::hits_since(std::uint64_t offset) const {
  const std::scoped_lock lock(mutex_);
  return hits_.since(offset);
}

void RealConsole::fail(const Error& why) {
  const std::scoped_lock lock(mutex_);
  failed_ = why;
  wake_waiters();
}

void RealConsole::wake_waiters() const {
  const std::uint64_t one = 1;
  for (const int fd : waiting_) [[maybe_unused]] const auto n = ::write(fd, &one, sizeof one);
}

std::uint64_t RealConsole::offset() const {
  const std::scoped_lock lock(mutex_);
  return window_.end();
}

std::vector<Gap> RealConsole::gaps_since(std::uint64_t offset) {
  const std::scoped_lock lock(mutex_);
  catch_up();
  std::vector<Gap> found;
  for (const auto& gap : gaps_)
    if (gap.offset >= offset) found.push_back(gap);
  if (deaf()) found.push_back(not_back());
  return found;
}

std::optional<Sending> RealConsole::sent_since(std::uint64_t offset) const {
  const std::scoped_lock lock(mutex_);
  // So long ago that it is not kept: as if it had been at once, so that nothing is taken for the device's own doing.
  if (!sent_.empty() && sent_dropped_ && offset <= sent_dropped_->offset) return Sending{offset, sent_dropped_->at};
  const auto found =
      std::lower_bound(sent_.begin(), sent_.end(), offset, [](const Sending& sending, std::uint64_t o) { return sending.offset < o; });
  return found == sent_.end() ? std::nullopt : std::optional(*found);
}

std::string RealConsole::bytes(ByteSpan span) const {
  const std::scoped_lock lock(mutex_);
  return window_.bytes(span);
}

void RealConsole::flush() {
  const std::scoped_lock lock(mutex_);
  catch_up();
  recorder_.flush(true);
  check_usable();
}

void RealConsole::close() {
  loop_.remove(this);
  end_reopening();
  const std::scoped_lock lock(mutex_);
  options_.reopen = nullptr;
  catch_up();
  if (deaf()) add_gap(not_back());
  lost_as_.clear();
  recorder_.flush(true);
  stream_.reset();
  lost_ = Error(ErrorKind::Disconnected, "console " + options_.source, "is closed", "open the bench again");
  wake_waiters();
  check_usable();
}

void RealConsole::check_usable() const {
  if (recorder_.failure()) throw Error(*recorder_.failure());
}

}  // namespace hilcop
