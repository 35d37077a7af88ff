// SPDX-License-Identifier: Apache-2.0
// The lines of a DUT's boot while it runs.
#include <algorithm>

#include "bench/real_dut.h"
#include "console/recorder.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kLineEnds = 50ms;
constexpr Nanoseconds kAtMost = 300ms;

}  // namespace

BootLog RealDut::boot_log() {
  const std::string object = "dut '" + config_.name + "'";
  if (boot_number_ == 0) throw Error(ErrorKind::Config, object, "was not powered on in this session", "call power.on() before boot_log()");
  const auto so_far = boot_so_far();
  auto& console = *main_console();
  // A line on its way is taken whole: half a line is hard to compare.
  if (const auto at = console.offset(); !off_at_ && at > so_far.begin_offset && console.bytes({at - 1, at}) != "\n")
    console.wait_silence(kLineEnds, Deadline::in(kAtMost));
  BootLog boot;
  boot.dut = config_.name;
  boot.cause = boot_cause_;
  boot.number = boot_number_;
  boot.begin = boot_began_;
  boot.watched_until = off_at_.value_or(real_clock().now());
  boot.span = {so_far.begin_offset, console.offset()};
  boot.stages = so_far.stages;
  for (const auto& stage : config_.board.boot_stages) boot.declared.push_back(stage.name);
  // What was lost in the boot before may stand at the byte where this one begins.
  for (auto& gap : console.gaps_since(so_far.begin_offset))
    if (gap.end >= boot_began_) boot.gaps.push_back(std::move(gap));
  boot.noise = config_.board.boot_noise;
  boot.ending = boot.complete() ? BootLog::Ending::Ready : off_at_ ? BootLog::Ending::Cut : BootLog::Ending::Open;
  if (boot.complete())
    if (const auto sent = console.sent_since(boot.stages.back().span.end)) boot.talk_from = sent->offset, boot.watched_until = sent->at;
  if (record_dir_.empty()) {
    take_lines(boot, console.bytes(boot.span));
  } else {
    boot.file = file_stem(console.source()) + ".raw";
    console.flush();
    read_lines(boot, record_dir_);
  }
  return boot;
}

}  // namespace hilcop
