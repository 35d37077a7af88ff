// SPDX-License-Identifier: Apache-2.0
#include "flash/uboot_shell.h"

#include <array>
#include <atomic>

#include <fmt/format.h>

#include "base/error.h"

namespace hilcop {
namespace {

constexpr int kTries = 4;
constexpr Nanoseconds kStill = 700ms;  // a line that says nothing for so long has said it all
constexpr std::size_t kLongest = 240;  // CONFIG_SYS_CBSIZE is 256 on small boards

std::string unique_id() {
  static std::atomic<unsigned> count{0};
  return fmt::format("{:x}x{:x}", to_ns(real_clock().now()) >> 10 & 0xfffff, ++count);
}

std::string plain(std::string text) {
  std::erase(text, '\r');
  return text;
}

}  // namespace

void UbootShell::reach(const std::string& keys, Deadline deadline) {
  const std::array prompt{Pattern::regex(prompt_)};
  console_.mark();
  for (int turn = 0; !deadline.expired(); ++turn) {
    // Keys that came too early stand behind the prompt, which is then no end of a line: Ctrl-C has it printed again.
    console_.write(turn % 4 == 3 ? "\x03" : keys, deadline);
    if (!console_.try_expect(prompt, deadline.at_most(200ms))) continue;
    try {
      if (!prompt_again(deadline)) continue;
      run("true", deadline.at_most(5s));
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Timeout) throw;  // it was no prompt, or the board started again
    }
  }
  throw Error(ErrorKind::Timeout, object_, "U-Boot's prompt did not come",
              "see the console: does it start (`power: cycle`), is `interrupt:` what stops it, and `prompt:` its prompt?");
}

bool UbootShell::prompt_again(Deadline deadline) {
  const std::array prompt{Pattern::regex(prompt_)};
  for (int tries = 0; tries < kTries && !deadline.expired(); ++tries) {
    console_.mark();
    console_.write("\x03", deadline);
    if (console_.try_expect(prompt, deadline.at_most(2s))) return true;
  }
  return false;
}

bool UbootShell::echoed(const std::string& line, Deadline deadline) {
  const std::array echo{Pattern::literal(line)};
  const auto begin = console_.mark();
  console_.write(line, deadline);
  const Deadline limit = deadline.at_most(10s);
  while (true) {
    if (const auto match = console_.try_expect(echo, limit.at_most(kStill))) return match->span.begin == begin;
    if (limit.expired() || real_clock().now() - console_.last_byte_at() >= kStill) return false;
  }
}

void UbootShell::begin(const std::string& command, Deadline deadline) {
  if (command.find_first_of("\r\n") != std::string::npos || command.size() > kLongest)
    throw Error(ErrorKind::Config, object_, "'" + command + "' is no line that U-Boot takes", "make it one line of at most 240 characters");
  command_ = command;
  // Printed as one word, typed as two: no echo looks like it.
  mark_ = unique_id();
  const std::string line = command + "; echo hb\"\"" + mark_ + ":$?:";
  for (int tries = 1; !echoed(line, deadline); ++tries)
    if (tries == kTries || !prompt_again(deadline))
      throw Error(deadline.expired() ? ErrorKind::Timeout : ErrorKind::Protocol, object_,
                  "'" + command + "' does not come back whole in the echo; it was not carried out", "set `pacing:` in the board file");
  from_ = console_.mark();
  console_.write("\r", deadline);
}

std::string UbootShell::end(Deadline deadline) {
  const std::array mark{Pattern::regex("hb" + mark_ + R"(:(\d+|\$\?):)")};
  const auto match = console_.try_expect(mark, deadline);
  if (!match) {
    console_.write("\x03", Deadline::in(1s));
    throw Error(
        ErrorKind::Timeout, object_, "'" + command_ + "' did not end in time", "see the console, and give it more time",
        {"last seen:\n  | " + plain(console_.bytes({std::max(from_, console_.offset() - std::min<std::uint64_t>(console_.offset(), 1000)),
                                                    console_.offset()}))});
  }
  auto output = plain(console_.bytes({from_, match->span.begin}));
  if (const auto begin = output.find_first_not_of('\n'); begin != std::string::npos) output.erase(0, begin);
  const std::array prompt{Pattern::regex(prompt_)};
  console_.expect(prompt, deadline.at_most(5s));
  const auto& status = match->groups.at(0);
  if (status == "$?") throw Error(ErrorKind::Unsupported, object_, "this U-Boot tells no exit statuses", "it needs CONFIG_HUSH_PARSER");
  if (status != "0")
    throw Error(ErrorKind::Protocol, object_, "'" + command_ + "' failed with status " + status,
                "mend the command in the board file, or the board", {"it said:\n  | " + output});
  return output;
}

std::string UbootShell::run(const std::string& command, Deadline deadline) {
  begin(command, deadline);
  return end(deadline);
}

}  // namespace hilcop
