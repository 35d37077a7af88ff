// SPDX-License-Identifier: Apache-2.0
// The waiting half: who waits borrows the console's descriptor and reads by itself, so that no thread hop stands between the
// device's byte and the answer.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/interrupt.h"
#include "console/real_console.h"
#include "console/text.h"

namespace hilcop {
namespace {

// A match that could still grow is taken when the line has been still for so long: at once for a prompt that ends with $.
constexpr Nanoseconds kStillDollar = 20ms;
constexpr Nanoseconds kStill = 250ms;
// fail() and the I/O thread's own findings reach a borrower when it looks again.
constexpr Nanoseconds kLookAgain = 100ms;
constexpr std::size_t kBefore = 64 * 1024;
constexpr std::size_t kMostSendings = 1000;  // of a console: 16 KiB

}  // namespace

/// One wait: while it lives, this thread reads the console, or is told by who does.
class RealConsole::Turn {
 public:
  explicit Turn(RealConsole& console) : console_(console) {
    const std::scoped_lock lock(console_.mutex_);
    borrows_ = !console_.borrowed_ && console_.stream_;
    if (borrows_) {
      console_.borrowed_ = true;
      console_.loop_.enable(console_.stream_->fd(), &console_, false);
    } else {
      wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      if (!wake_) throw error_from_errno(errno, "console " + console_.options_.source, "make an eventfd");
      console_.waiting_.push_back(wake_.get());
    }
  }
  ~Turn() {
    const std::scoped_lock lock(console_.mutex_);
    need_.reset();
    if (borrows_) {
      console_.borrowed_ = false;
      if (console_.stream_) console_.loop_.enable(console_.stream_->fd(), &console_, true);
    } else {
      console_.waiting_.remove(wake_.get());
    }
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  /// With the lock held: from here on everything stays in memory.
  void need(std::uint64_t from) {
    if (need_)
      need_->advance(from);
    else
      need_.emplace(console_.window_, from);
  }

  /// Waits for bytes, without the lock; false at the deadline. Throws Interrupted.
  bool wait(Deadline deadline) {
    int fd = wake_.get();
    if (borrows_) {
      const std::scoped_lock lock(console_.mutex_);
      fd = console_.stream_ ? console_.stream_->fd() : -1;
    }
    if (!wait_ready(fd, POLLIN, fd < 0 ? deadline.at_most(kStillDollar) : deadline)) return fd < 0 && !deadline.expired();
    if (borrows_) {
      const std::scoped_lock lock(console_.mutex_);
      console_.read_available();
    } else {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
    }
    return true;
  }

 private:
  RealConsole& console_;
  bool borrows_ = false;
  UniqueFd wake_;
  std::optional<Window::Need> need_;
};

std::string RealConsole::tail() const {
  const std::string seen = last_lines(window_.from(window_.cursor()), 5);
  const std::string text = seen.empty() ? "nothing was received since the last match" : "last seen:\n  | " + seen;
  if (!lost_ || closing_) return text;
  return text + "\n  the line is lost (" + lost_->cause() + ")" +
         (not_reopened_ ? ", and cannot be opened: " + std::string(not_reopened_->what()) : "");
}

void RealConsole::check_connected() const {
  if (failed_) throw failed_->while_doing(tail());
  if (lost_ && !options_.reopen)
    throw Error(ErrorKind::Disconnected, "console " + options_.source + " (" + stream_name_ + ")", lost_->cause(), lost_->remedy(),
                {tail()});
}

Error RealConsole::died(const WatcherHit& hit) const {
  const bool kept = hit.span.begin >= window_.begin();
  const std::string line = kept ? line_around(window_.text(), hit.span.begin - window_.begin(), hit.span.end - window_.begin()) : hit.line;
  return {ErrorKind::Protocol, "console " + options_.source, "died: " + hit.watcher + ": " + line, "", {tail()}};
}

// A fatal hit counts once its line is complete, or nothing more comes: what it says at its end is what people need.
const WatcherHit* RealConsole::fatal_since(std::uint64_t offset) const {
  const auto* hit = hits_.first_fatal(offset);
  if (hit == nullptr) return nullptr;
  const bool complete = hit->span.end < window_.begin() || window_.from(hit->span.end).find('\n') != std::string_view::npos;
  return complete || lost_ || real_clock().now() - last_byte_at_ >= kStillDollar ? hit : nullptr;
}

std::optional<RealConsole::Seen> RealConsole::look(std::vector<Expectation>& wanted, bool complete) const {
  std::optional<Seen> best;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto& one = wanted[i];
    const auto search = one.pattern->search(window_.text(), one.from - window_.begin(), complete);
    if (!search.found) {
      if (!complete) one.from = window_.begin() + search.retry_from;
    } else if (!best || search.match.begin < best->found.begin) {
      best = {i, search.match};
    }
  }
  return best;
}

Match RealConsole::take(const Seen& seen) {
  const auto& found = seen.found;
  Match match;
  match.pattern = seen.pattern;
  match.span = {window_.begin() + found.begin, window_.begin() + found.end};
  match.text = window_.text().substr(found.begin, found.end - found.begin);
  match.groups = found.groups;
  // The cursor may be past it: of two threads that wait, the other had a later match first.
  const std::uint64_t from = std::max(window_.cursor(), match.span.begin > kBefore ? match.span.begin - kBefore : 0);
  match.before = window_.bytes({std::min(from, match.span.begin), match.span.begin});
  match.at = last_byte_at_;
  window_.judge_to(match.span.end);
  return match;
}

std::optional<Match> RealConsole::await(std::span<const Pattern> patterns, Deadline deadline) {
  if (patterns.empty()) throw Error(ErrorKind::Config, "console " + options_.source, "no pattern to wait for", "name at least one");
  std::vector<Expectation> wanted;
  for (const auto& pattern : patterns) wanted.push_back({CompiledPattern::get(pattern), 0});
  const bool dollar = std::any_of(wanted.begin(), wanted.end(), [](const auto& w) { return w.pattern->has_dollar(); });
  Turn turn(*this);
  {
    const std::scoped_lock lock(mutex_);
    if (window_.take_overflow())
      throw Error(ErrorKind::Exhausted, "console " + options_.source,
                  "more than 64 MiB arrived that nobody judged: their beginning is no longer kept",
                  "call mark() where old output does not matter");
    turn.need(window_.cursor());
    for (auto& one : wanted) one.from = window_.cursor();
  }
  while (true) {
    SteadyTime still_at;
    {
      const std::scoped_lock lock(mutex_);
      check_usable();
      const auto now = real_clock().now();
      const bool expired = now >= deadline.at();
      const bool still = now - last_byte_at_ >= (dollar ? kStillDollar : kStill);
      const auto* fatal = fatal_since(window_.cursor());
      const auto seen = look(wanted, still || expired || lost_.has_value() || fatal != nullptr);
      if (seen && (fatal == nullptr || window_.begin() + seen->found.begin <= fatal->span.end)) {
        const auto match = take(*seen);
        const auto& text = patterns[match.pattern].text;
        sink_.emit(make_event(options_.source, "console.match",
                              {{"pattern", printable(text, 200)},
                               {"begin", match.span.begin},
                               {"end", match.span.end},
                               {"text", printable(match.text, 200)}}));
        return match;
      }
      if (fatal != nullptr) throw died(*fatal);
      check_connected();
      if (expired) return std::nullopt;
      turn.need(std::min_element(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.from < b.from; })->from);
      const bool soon = dollar || (!hits_.empty() && hits_.newest().span.end > window_.cursor());
      still_at = still ? deadline.at() : last_byte_at_ + (soon && now < last_byte_at_ + kStillDollar ? kStillDollar : kStill);
    }
    turn.wait(Deadline(std::min({still_at, deadline.at(), real_clock().now() + kLookAgain})));
  }
}

std::optional<Match> RealConsole::try_expect(std::span<const Pattern> patterns, Deadline deadline) { return await(patterns, deadline); }

Match RealConsole::expect(std::span<const Pattern> patterns, Deadline deadline) {
  const auto begin = real_clock().now();
  if (auto match = await(patterns, deadline)) return *match;
  std::string names;
  for (const auto& pattern : patterns) names += (names.empty() ? "'" : ", '") + printable(pattern.text, 100) + "'";
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(real_clock().now() - begin).count();
  const std::scoped_lock lock(mutex_);
  throw Error(ErrorKind::Timeout, "console " + options_.source, names + " did not come within " + std::to_string(waited) + " ms", "",
              {tail()});
}

std::uint64_t RealConsole::mark() {
  const std::scoped_lock lock(mutex_);
  take_waiting();  // it arrived before the mark
  window_.take_overflow();
  window_.judge_to(window_.end());
  return window_.end();
}

void RealConsole::check_alive(std::uint64_t offset) const {
  const std::scoped_lock lock(mutex_);
  if (const auto* fatal = fatal_since(offset)) throw died(*fatal);
}

bool RealConsole::wait_silence(Nanoseconds quiet, Deadline deadline, SteadyTime since) {
  while (true) {
    SteadyTime silent_at;
    {
      const std::scoped_lock lock(mutex_);
      silent_at = std::max({last_byte_at_, since, connected_at_}) + quiet;
      // The loop's thread may be late: what waits to be read is no silence.
      if (real_clock().now() >= silent_at && read_available() == 0) return stream_ != nullptr;
    }
    if (silent_at > deadline.at() && deadline.expired()) return false;
    wait_until(Deadline(std::min(silent_at, deadline.at())));
  }
}

WatcherHit RealConsole::wait_watcher(const std::string& watcher, std::uint64_t offset, Deadline deadline) {
  Turn turn(*this);
  while (true) {
    {
      const std::scoped_lock lock(mutex_);
      check_usable();
      const auto* fatal = fatal_since(offset);
      if (const auto* hit = hits_.first_of(watcher, offset); hit != nullptr && (fatal == nullptr || hit->span.begin < fatal->span.begin))
        return *hit;
      if (fatal != nullptr) throw died(*fatal);
      check_connected();
      if (deadline.expired())
        throw Error(ErrorKind::Timeout, "console " + options_.source, "watcher '" + watcher + "' saw nothing in time", "", {tail()});
    }
    turn.wait(deadline.at_most(kLookAgain));
  }
}

void RealConsole::write(std::string_view bytes, Deadline deadline) { send(bytes, printable(bytes, 200), deadline); }

void RealConsole::send(std::string_view bytes, const std::string& shown, Deadline deadline) {
  const std::size_t chunk = options_.pacing.chunk_bytes == 0 ? bytes.size() : options_.pacing.chunk_bytes;
  std::uint64_t at = 0;
  {
    const std::scoped_lock lock(mutex_);
    at = window_.end();
    if (sent_.empty() || sent_.back().offset < at) sent_.push_back({at, real_clock().now()});
    if (sent_.size() > kMostSendings) {
      sent_dropped_ = sent_.front();
      sent_.pop_front();
    }
  }
  sink_.emit(make_event(options_.source, "console.sent", {{"text", shown}, {"bytes", bytes.size()}, {"offset", at}}));
  while (!bytes.empty()) {
    auto piece = bytes.substr(0, chunk);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      int fd = -1;
      {
        const std::scoped_lock lock(mutex_);
        if (!stream_)
          throw Error(ErrorKind::Disconnected, "console " + options_.source + " (" + stream_name_ + ")",
                      lost_ ? lost_->cause() : "is closed");
        piece.remove_prefix(stream_->write_some(std::as_bytes(std::span(piece))));
        fd = stream_->write_fd();
      }
      if (!piece.empty() && !wait_ready(fd, POLLOUT, deadline))
        throw Error(ErrorKind::Timeout, "console " + options_.source, "the transport does not take what is sent",
                    "see whether flow control holds it");
    }
    if (!bytes.empty() && options_.pacing.pause > Nanoseconds(0)) wait_until(Deadline::in(options_.pacing.pause));
  }
}

// A break lasts, and a terminal server takes its time to move a line: meanwhile the I/O thread leaves this console alone.
class RealConsole::Controlled {
 public:
  explicit Controlled(RealConsole& console) : console_(console) {
    ++console_.controlled_;
    console_.loop_.pass();  // it may have looked before, and would wait for the console now
  }
  ~Controlled() { --console_.controlled_; }
  Controlled(const Controlled&) = delete;
  Controlled& operator=(const Controlled&) = delete;

 private:
  RealConsole& console_;
};

template <typename Action>
void RealConsole::control(const Action& action) {
  const Turn turn(*this);
  const Controlled controlled(*this);
  const std::scoped_lock lock(mutex_);
  if (!stream_)
    throw Error(ErrorKind::Disconnected, "console " + options_.source + " (" + stream_name_ + ")", lost_ ? lost_->cause() : "is closed");
  action(*stream_);
}

void RealConsole::hold_lines_now() {
  const Turn turn(*this);
  const Controlled controlled(*this);
  const std::scoped_lock lock(mutex_);
  if (!stream_) return;  // who opens it again holds them
  try {
    hold_lines(*stream_, powered_);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Disconnected) throw;
    lose(error);
  }
}

void RealConsole::set_line(ModemLine line, bool asserted) {
  control([&](ByteStream& stream) { stream.set_line(line, asserted); });
}

void RealConsole::send_break(std::chrono::milliseconds length) {
  control([&](ByteStream& stream) { stream.send_break(length); });
}

}  // namespace hilcop
