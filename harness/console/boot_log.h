// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.h"
#include "console/boot_noise.h"
#include "console/console.h"

namespace hilcop {

/// One stage of one boot as it was seen.
struct StageTime {
  std::string stage;
  Nanoseconds since_power_on{};
  Nanoseconds limit{};  // 0: unknown
  bool within = true;
  ByteSpan span;
};

/// One line of a boot. A kernel message that cuts into another line is a line of its own; the other one is joined again.
struct BootLine {
  std::string text;                // readable, at most 4,096 bytes of the recording
  std::string normal;              // text with noise masked: what is compared
  ByteSpan span;                   // in the recording
  Nanoseconds since_power_on{-1};  // of its first byte; negative: the index does not say
  bool kernel = false;             // it begins with a kernel stamp
  bool whole = true;               // false: the boot ended, or the bench began to talk, before its end
  bool compared = true;            // false: it came after the bench began to talk
};

/// One boot of one DUT: from power-on or reset to the next one, to power-off or to the end of the recording. A value.
struct BootLog {
  enum class Ending { Ready, Cut, Stalled, Open };  // Open: still running, or the recording ends here

  std::string dut, cause;  // cause: "power", "reset"
  int number = 0;          // 1..n in its run
  SteadyTime begin{};
  SteadyTime watched_until{};  // its end, or when the bench began to talk
  std::string file;            // "board1-main.raw"; empty: not recorded
  ByteSpan span;
  std::uint64_t talk_from = UINT64_MAX;  // where the bench began to talk after the last stage: nothing later is compared
  std::vector<StageTime> stages;
  std::vector<std::string> declared;  // the board's stages, in order
  std::vector<Gap> gaps;
  std::vector<BootLine> lines;
  std::vector<std::string> noise;  // the board's own patterns
  Ending ending = Ending::Open;
  std::vector<std::string> damage;  // why lines may be missing from `lines` though the device printed them

  /// The last stage was seen.
  bool complete() const;
  /// The first stage that did not come; empty when complete.
  std::string missing() const;
  /// For how long it was watched after its last stage; 0 when incomplete.
  Nanoseconds watched_after_ready() const;
  /// Why this boot proves no absence: incomplete, a gap whose cause is not powered_off, a damaged recording. Empty: it does.
  std::string doubt() const;
};

std::string to_string(BootLog::Ending ending);

/// The DUTs that booted, by name.
std::vector<std::string> booted_duts(std::span<const Event> events);

/// The boots of a DUT as its timeline tells them, without their lines. Whatever an event may contain is taken; what is not as
/// the timeline's documents say counts as damage of the boot it stands in.
std::vector<BootLog> boots_of(std::span<const Event> events, const std::string& dut);

/// Reads the lines of a boot from its file and index in a folder of recordings, once and in order. Never throws for what a file
/// contains: what is missing, torn, or too long (64 MiB, 500,000 lines) is damage.
void read_lines(BootLog& boot, const std::filesystem::path& console_dir);

/// The same from bytes that begin at the boot's begin; no line has a time.
void take_lines(BootLog& boot, std::string_view bytes);

}  // namespace hilcop
