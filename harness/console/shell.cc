// SPDX-License-Identifier: Apache-2.0
// run(): a shell on a serial line is unreliable. Kernel text cuts into what it prints, and input gets lost. So both ways carry a
// checksum: the shell runs a command only if it arrived whole, and prints the kept answer again until one copy
// arrives whole.
#include <array>
#include <atomic>

#include <unistd.h>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "console/cksum.h"
#include "console/real_console.h"
#include "console/text.h"

namespace hilcop {
namespace {

constexpr int kTries = 4;
constexpr Nanoseconds kShown = 150ms;
constexpr std::size_t kPiece = 500;  // of a typed line: busybox' line editor and small UARTs take that

// A command in single quotes, in pieces: __c='...'; __c="$__c"'...'
std::vector<std::string> typed_pieces(std::string_view command) {
  std::vector<std::string> lines{"__c=''"};
  while (!command.empty()) {
    std::string quoted;
    const auto piece = command.substr(0, kPiece);
    for (const char c : piece) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    lines.push_back("__c=\"$__c\"'" + quoted + "'");
    command.remove_prefix(piece.size());
  }
  return lines;
}

// __k: a checksum, by cksum (POSIX) or, where a small busybox has none, sha256sum. __p: prints the kept answer, framed:
// <hb ID STATUS SUM> ... <he ID>; SUM is of "STATUS OUTPUT". Typed in two halves each, so that no echo looks like it.
constexpr const char* kFunctions =
    R"sh(__k() { cksum 2>/dev/null || sha256sum; }; )sh"
    R"sh(__p() { printf '\n<%s %s %s %s>\n%s\n<%s %s>\n' h"b" "$1" "$__s" "$(printf '%s %s' "$__s" "$__o"|__k|tr ' ' :)" "$__o" h"e" "$1"; })sh";

// A subshell: the command's output and status are kept in variables, whatever happens on the line meanwhile.
constexpr const char* kRunner =
    R"sh(case "$(printf %s "$__c"|__k|tr ' ' :)" in {}|{}) __o=$( (eval "$__c") </dev/null 2>&1; echo "x$?"); )sh"
    R"sh(__s=${{__o##*x}}; __o=${{__o%x*}};; *) __s=damaged; __o=;; esac; __p {})sh";

std::string unique_id() {
  static std::atomic<unsigned> count{0};
  return fmt::format("{:x}.{:x}.{:x}", ::getpid(), to_ns(real_clock().now()) & 0xffffff, ++count);
}

struct Answer {
  int status;
  std::string output;
};

// The answer between its marks, if its checksum proves it whole.
std::optional<Answer> parse(std::string_view text, const std::string& id) {
  const std::string head = "<hb " + id + " ", end_mark = "\n<he " + id + ">";
  const auto begin = text.find(head);
  if (begin == std::string_view::npos) return std::nullopt;
  const auto body = text.find(">\n", begin);
  const auto end = body == std::string_view::npos ? body : text.find(end_mark, body + 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string fields(text.substr(begin + head.size(), body - begin - head.size()));
  const auto space = fields.find(' ');
  if (space == std::string::npos) return std::nullopt;
  std::string output(text.substr(body + 2, end > body + 2 ? end - body - 2 : 0));
  const std::string sum = fields.substr(space + 1), status = fields.substr(0, space);
  // The status, too: a digit that is lost makes a failure a success.
  if (sum != posix_cksum(status + " " + output) && sum != sha256sum_of(status + " " + output)) return std::nullopt;
  if (status == "damaged") return Answer{-1, ""};
  if (status.empty() || status.size() > 3 || status.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return Answer{std::stoi(status), std::move(output)};
}

// As it came, without kernel text that cut into lines, without any kernel text: whichever is proved whole.
std::optional<Answer> decode(const std::string& raw, const std::string& id, std::string* kernel) {
  const std::string text = without_carriage_returns(raw);
  if (auto answer = parse(text, id)) return answer;
  auto answer = parse(without_kernel_lines(text, kernel), id);
  if (!answer) kernel->clear();
  return answer;
}

}  // namespace

CommandResult RealConsole::run(std::string_view command, Deadline deadline) {
  const std::string object = "console " + options_.source;
  if (!options_.shell) throw no_interpreter("run()", "a POSIX shell (`shell:`)");
  if (command.find('\0') != std::string_view::npos) throw Error(ErrorKind::Config, object, "a NUL in a command", "leave it out");
  const auto began = real_clock().now();
  const std::uint64_t begin = mark();
  const std::string sum = posix_cksum(command), other_sum = sha256sum_of(command);
  std::string id;
  const auto type_command = [&] {
    id = unique_id();
    for (const auto& line : typed_pieces(command)) write_line(line, deadline);
    write_line(kFunctions, deadline);
    write_line(fmt::format(kRunner, sum, other_sum, id), deadline);
  };
  type_command();
  int tries = 1;
  while (true) {
    const std::array end{Pattern::literal("<he " + id + ">")};
    const bool ended = try_expect(end, deadline.at_most(300ms)).has_value();
    const std::uint64_t now = offset();
    CommandResult result;
    const auto answer = decode(bytes({begin, now}), id, &result.kernel);
    if (answer && answer->status >= 0) {
      result.exit_status = answer->status;
      result.output = answer->output;
      result.span = {begin, now};
      result.elapsed = real_clock().now() - began;
      mark();
      return result;
    }
    if (deadline.expired()) {
      const std::scoped_lock lock(mutex_);
      throw Error(ErrorKind::Timeout, object, "the command '" + printable(command, 120) + "' gave no answer in time",
                  "see whether a shell is at its prompt (login()), and whether the command ends",
                  {"last seen:\n  | " + last_lines(window_.from(begin), 8)});
    }
    const bool begun = answer || ended || bytes({begin, now}).find("<hb " + id) != std::string::npos;
    if (!begun || tries >= kTries) {
      if (tries >= kTries)
        throw Error(ErrorKind::Protocol, object,
                    "the answer to '" + printable(command, 120) + "' arrived damaged " + std::to_string(tries) + " times",
                    "see what writes to this console at the same time", {"last seen:\n  | " + last_lines(bytes({begin, now}), 8)});
      continue;  // it still runs
    }
    if (!ended && !wait_silence(500ms, deadline.at_most(3s))) continue;  // the end may be under way
    ++tries;
    if (answer) {
      type_command();  // input was lost: nothing ran
    } else {
      id = unique_id();
      write_line("__p " + id, deadline);
    }
  }
}

void RealConsole::login(Deadline deadline) {
  if (options_.shell) return login_to_shell(deadline);
  if (!options_.repl) throw no_interpreter("login()", "a shell or an interpreter (`shell:` or `repl:`)");
  reach_prompt(deadline);
}

void RealConsole::login_to_shell(Deadline deadline) {
  const auto& shell = *options_.shell;
  const std::array states{before_escapes(shell.prompt), before_escapes(shell.login_prompt), before_escapes(shell.password_prompt)};
  int refused = 0;
  for (bool proved = false; !proved;) {
    // What is on the line already is answered first: an empty line to a password prompt is a wrong password. A prompt is known
    // to be one by the silence after it. Then an empty line makes whoever is there show itself.
    auto state = try_expect(states, deadline.at_most(kShown));
    if (!state) {
      write(options_.line_end, deadline);
      state = try_expect(states, deadline.at_most(2s));
    }
    if (deadline.expired()) {
      const std::scoped_lock lock(mutex_);
      throw Error(ErrorKind::Timeout, "console " + options_.source, "no shell was reached in time", "check `shell:` in the board file",
                  {tail()});
    }
    if (!state) continue;
    if (state->pattern == 1) {
      if (shell.login.empty())
        throw Error(ErrorKind::Config, "console " + options_.source, "asks for a login", "add `login:` to `shell:` in the board file");
      write_line(shell.login, deadline);
      const std::array next{states[2], states[0]};
      const auto asked = try_expect(next, deadline.at_most(5s));
      if (!asked) continue;
      if (asked->pattern == 0) {
        write_secret(shell.password, deadline);
        const std::array shown{states[0], states[1]};
        const auto result = try_expect(shown, deadline.at_most(10s));
        if (result && result->pattern == 1 && ++refused == 2)
          throw Error(ErrorKind::Config, "console " + options_.source, "refuses the login of '" + shell.login + "'",
                      "check `login:` and `password:` of `shell:` in the board file");
        if (!result || result->pattern == 1) continue;
      }
    } else if (state->pattern == 2) {
      write(options_.line_end, deadline);
      continue;
    }
    try {
      proved = run("true", deadline.at_most(5s)).exit_status == 0;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Timeout || deadline.expired()) throw;
    }
  }
}

}  // namespace hilcop
