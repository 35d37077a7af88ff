// SPDX-License-Identifier: Apache-2.0
// dfu-util (0.11): USB DFU 1.1. What was written is uploaded again and compared, a dump is uploaded twice; a device that
// cannot upload needs `verify: false`.
#include <array>

#include "flash/program.h"

namespace hilcop {
namespace {

std::vector<std::string> dfu_command(const FlashJob& job, const std::vector<std::string>& what) {
  const auto& config = job.part.config;
  // -w: after power-on the device takes a while to show itself; the job's deadline ends it. The long --wait of 0.11 wants a value
  // (measured).
  std::vector<std::string> words{"dfu-util", "-w", "--device", config.at("device"), "--alt", config.at("alt")};
  const auto add = [&](const char* option, const char* name) {
    if (const auto found = job.values.find(name); found != job.values.end()) words.insert(words.end(), {option, found->second});
  };
  add("--path", "usb_path");
  add("--serial", "serial");
  for (const auto& word : job.filled(config.at("arguments"))) words.push_back(word);
  words.insert(words.end(), what.begin(), what.end());
  return words;
}

// DFU 1.1, appendix B: a file may end with a suffix that the tool takes off: ..."UFD", its length, a checksum of 4 bytes.
std::uint64_t without_suffix(const FlashJob& job, std::uint64_t size) {
  std::array<std::byte, 16> end{};
  if (size < end.size()) return size;
  const auto file = ImageFile::open_as_it_is(job.file);
  std::vector<std::byte> piece(1u << 20);
  std::vector<std::byte> tail;
  for (std::size_t n = file->read(piece); n > 0; n = file->read(piece)) {
    tail.insert(tail.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
    if (tail.size() > end.size()) tail.erase(tail.begin(), tail.end() - static_cast<std::ptrdiff_t>(end.size()));
  }
  if (tail.size() != end.size()) return size;
  const bool suffix = tail[8] == std::byte{'U'} && tail[9] == std::byte{'F'} && tail[10] == std::byte{'D'};
  const auto length = std::to_integer<std::uint64_t>(tail[11]);
  return suffix && length >= 16 && length < size ? size - length : size;
}

std::vector<std::string> with_reset(const FlashJob& job, std::vector<std::string> words) {
  if (job.part.config.at("reset").get<bool>()) words.emplace_back("--reset");
  return words;
}

}  // namespace

FlashDone flash_by_dfu(const FlashJob& job) {
  auto done = facts_of(job.file);
  const std::vector<std::string> write{"--download", job.file.string()};
  if (!job.part.verify) {
    run_program(job, dfu_command(job, with_reset(job, write)), "write", done.bytes);
    done.unverified_why = kVerifyOff;
    return done;
  }
  run_program(job, dfu_command(job, write), "write", done.bytes);
  const ScratchFolder folder;
  const auto read_back = folder.path() / "read-back";
  const auto size = without_suffix(job, done.bytes);
  run_program(job, dfu_command(job, with_reset(job, {"--upload-size", std::to_string(size), "--upload", read_back.string()})), "verify",
              size);
  compare_files(job, read_back, size, "uploaded again");
  done.verified_by = "uploaded again";
  return done;
}

FlashDone dump_by_dfu(const FlashJob& job) {
  return dump_twice(job, [&](const std::filesystem::path& to, const char* phase, bool last) {
    const std::vector<std::string> upload{"--upload", to.string()};
    run_program(job, dfu_command(job, last ? with_reset(job, upload) : upload), phase, 0);
  });
}

}  // namespace hilcop
