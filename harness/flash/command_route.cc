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
  const ScratchFolder folder;
  const auto all = with_output(job, folder.path() / "read");
  const auto words = all.filled(job.part.config.at("run"));
  run_program(all, words, "read", 0);
  if (!job.part.verify) {
    auto done = deliver(job, folder.path() / "read");
    done.unverified_why = kVerifyOff;
    return done;
  }
  const auto again = with_output(job, folder.path() / "again");
  run_program(again, again.filled(job.part.config.at("run")), "verify", 0);
  const auto second = facts_of(folder.path() / "again");
  auto done = facts_of(folder.path() / "read");
  if (second.sha256 != done.sha256)
    throw Error(ErrorKind::Protocol, job.object, "two reads differ", "see whether something writes to it meanwhile");
  done = deliver(job, folder.path() / "read");
  done.verified_by = "second read, SHA-256";
  return done;
}

}  // namespace hilcop
