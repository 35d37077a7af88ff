// SPDX-License-Identifier: Apache-2.0
// ask(): an interpreter that is no POSIX shell. Its UART may lose what comes too fast, so a line is typed in pieces, each waited for
// in the echo, and Enter is sent only after the whole line came back: what was damaged is never carried out. What it prints then
// ends where a word stands that it can only have put together itself: the echo of that line shows it in two halves.
#include <array>
#include <atomic>

#include <unistd.h>

#include <fmt/format.h>

#include "console/real_console.h"
#include "console/text.h"

namespace hilcop {
namespace {

constexpr int kTries = 4;
constexpr std::size_t kPiece = 32;        // fits the receive buffers of small interpreters (64 bytes)
constexpr Nanoseconds kEchoLimit = 2s;    // of a piece
constexpr Nanoseconds kPromptLimit = 2s;  // after an interrupt, and after a word

void replace(std::string& text, const std::string& what, const std::string& by) { text.replace(text.find(what), what.size(), by); }

bool has_control_bytes(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

Error RealConsole::no_interpreter(const std::string& call, const std::string& needs) const {
  return {ErrorKind::Unsupported, "console " + options_.source, call + " needs " + needs + ", and its board declares none",
          "use expect() and write_line(), or declare it in " + (options_.board_file.empty() ? "the board file" : options_.board_file)};
}

// From where the last match ended: anything else than the echo of exactly this text is a false.
bool RealConsole::type_echoed(std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    const std::array piece{Pattern::literal(std::string(text.substr(0, kPiece)))};
    write(piece[0].text, deadline);
    const auto echo = try_expect(piece, deadline.at_most(kEchoLimit));
    if (!echo || !echo->before.empty()) return false;
    text.remove_prefix(piece[0].text.size());
  }
  return true;
}

// At a prompt: has it say a word of its own and waits for the prompt after it.
bool RealConsole::says_word(Deadline deadline) {
  static std::atomic<unsigned> count{0};
  const std::string left = fmt::format("h{:x}w", ::getpid()), right = fmt::format("{:x}e{}", to_ns(real_clock().now()) & 0xffffff, ++count);
  std::string line = options_.repl->say;
  replace(line, "{left}", left);
  replace(line, "{right}", right);
  if (!type_echoed(line, deadline)) return false;
  write(options_.line_end, deadline);
  const std::array word{Pattern::literal(left + right)}, prompt{before_escapes(options_.repl->prompt)};
  return try_expect(word, deadline) && try_expect(prompt, deadline.at_most(kPromptLimit));
}

void RealConsole::reach_prompt(Deadline deadline) {
  const auto& repl = *options_.repl;
  const std::array prompt{before_escapes(repl.prompt)};
  do {
    mark();
    write(repl.interrupt.empty() ? options_.line_end : repl.interrupt, deadline);
    if (try_expect(prompt, deadline.at_most(kPromptLimit)) && says_word(deadline.at_most(2 * kEchoLimit))) return;
  } while (!deadline.expired());
  const std::scoped_lock lock(mutex_);
  throw Error(ErrorKind::Timeout, "console " + options_.source, "no prompt was reached in time", "check `repl:` in the board file",
              {tail()});
}

// A line of the output may end as the prompt does.
bool RealConsole::line_ends_at(std::uint64_t offset) const {
  const std::scoped_lock lock(mutex_);
  return window_.from(offset).starts_with('\r') || window_.from(offset).starts_with('\n');
}

Reply RealConsole::ask(std::string_view line, Deadline deadline) {
  const std::string object = "console " + options_.source, shown = "'" + printable(line, 120) + "'";
  if (options_.shell) {
    auto result = run(line, deadline);
    return {std::move(result.output), result.span, result.elapsed};
  }
  if (!options_.repl) throw no_interpreter("ask()", "a shell or an interpreter (`shell:` or `repl:`)");
  if (line.empty() || has_control_bytes(line))
    throw Error(ErrorKind::Config, object, shown + " is not one line of text", "send other bytes with write()");
  const auto began = real_clock().now();
  std::uint64_t begin = mark();
  for (int tries = 1; !type_echoed(line, deadline); begin = mark()) {
    const std::string why = options_.repl->interrupt.empty() ? "once, and `repl:` has no `interrupt:` to take it back" : "again and again";
    if (++tries > kTries || options_.repl->interrupt.empty() || deadline.expired()) {
      const std::scoped_lock lock(mutex_);
      throw Error(deadline.expired() ? ErrorKind::Timeout : ErrorKind::Protocol, object,
                  "the line " + shown + " did not come back whole in the echo " + why + "; it was not carried out",
                  "see whether the board is at its prompt (login()), and set `pacing:` in the board file",
                  {"last seen:\n  | " + last_lines(window_.from(begin), 8)});
    }
    reach_prompt(deadline);
  }
  const std::uint64_t echoed = begin + line.size();
  write(options_.line_end, deadline);
  const std::array prompt{before_escapes(options_.repl->prompt)};
  auto end = try_expect(prompt, deadline);
  while (end && line_ends_at(end->span.end)) end = try_expect(prompt, deadline);
  if (!end || !says_word(deadline)) {
    const std::scoped_lock lock(mutex_);
    throw Error(ErrorKind::Timeout, object, "the line " + shown + " gave no reply that ends at a prompt in time",
                "see whether it ends, and whether `prompt:` of `repl:` is this board's",
                {"last seen:\n  | " + last_lines(window_.from(begin), 8)});
  }
  Reply reply;
  reply.span = {begin, offset()};
  reply.output = without_carriage_returns(bytes({echoed, end->span.begin}));
  if (reply.output.starts_with('\n')) reply.output.erase(0, 1);  // Enter's own echo
  reply.elapsed = end->at - began;
  return reply;
}

}  // namespace hilcop
