// SPDX-License-Identifier: Apache-2.0
// Any program of this host. That it ended well proves nothing about the medium: what it reads back does.
#include "flash/program.h"

namespace hilcop {
namespace {

FlashJob with_output(FlashJob job, const std::filesystem::path& output) {
  job.values["output"] = output.string();
  return job;
}

}  // namespace

FlashDone flash_by_command(const FlashJob& job) {
  auto done = facts_of(job.file);
  const ScratchFolder folder;
  const auto read_back = folder.path() / "read-back";
  const auto all = with_output(job, read_back);
  run_program(all, all.filled(job.part.config.at("run")), "write", done.bytes);
  if (!job.part.verify) {
    done.unverified_why = kVerifyOff;
  } else if (job.part.config.at("read_back").empty()) {
    done.unverified_why = "the board file says no `read_back:` for it";
  } else {
    run_program(all, all.filled(job.part.config.at("read_back")), "verify", done.bytes);
    if (!std::filesystem::exists(read_back))
      throw Error(ErrorKind::Protocol, job.object, "`read_back:` wrote no {output}", "mend it in the board file");
    compare_files(job, read_back, done.bytes, "read back");
    done.verified_by = "read back";
  }
  return done;
}

FlashDone dump_by_command(const FlashJob& job) {
  return dump_twice(job, [&](const std::filesystem::path& to, const char* phase, bool) {
    const auto one = with_output(job, to);
    run_program(one, one.filled(job.part.config.at("run")), phase, 0);
  });
}

}  // namespace hilcop
