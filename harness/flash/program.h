// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "flash/route.h"

namespace hilcop {

/// Runs a program of this host to its end, in a process group of its own that is killed at the job's deadline and on Ctrl-C. Its last
/// percentage is the progress. Event flash.program: arguments, exit status and the last 64 KiB that it said. Throws Error{Protocol} for any
/// exit status but 0, Error{Timeout}, Error{NotFound} with the package. Returns what it said.
std::string run_program(const FlashJob& job, const std::vector<std::string>& words, const std::string& phase, std::uint64_t total);

/// "12%" where it stands last; -1: nowhere.
int last_percentage(const std::string& said);

/// A folder that goes with this object, for what a program reads back.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Size and SHA-256 of a file as it is.
FlashDone facts_of(const std::filesystem::path& path);

/// Throws job.differs() unless `read_back` begins with the first `size` bytes of the image; what follows there is of the medium.
void compare_files(const FlashJob& job, const std::filesystem::path& read_back, std::uint64_t size, const std::string& means);

/// The same of what a program has read. Throws Error{Protocol} when that is nothing.
FlashDone facts_of_read(const FlashJob& job, const std::filesystem::path& read);

/// Puts what a program has read where the job wants it, whole or not at all.
FlashDone deliver(const FlashJob& job, const std::filesystem::path& read);

/// A dump by a program that says no checksum: `read` is called twice, and both must come out the same; once, when it is not to be verified.
FlashDone dump_twice(const FlashJob& job, const std::function<void(const std::filesystem::path& to, const char* phase, bool last)>& read);

}  // namespace hilcop
