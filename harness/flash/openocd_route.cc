// SPDX-License-Identifier: Apache-2.0
// openocd (0.12, "Flash Commands" and "General Commands" of its manual): write_image, verify_image, dump_image.
#include <fmt/format.h>

#include "flash/program.h"

namespace hilcop {
namespace {

// Tcl takes what stands in braces as it is, if they are paired.
std::string word(const FlashJob& job, const std::string& path) {
  if (path.find_first_of("{}\\") != std::string::npos)
    throw Error(ErrorKind::Config, job.object, "openocd cannot be given the path " + path, "use one without braces and backslashes");
  return "{" + path + "}";
}

std::vector<std::string> openocd_command(const FlashJob& job, const std::vector<std::string>& commands) {
  std::vector<std::string> words{"openocd"};
  for (const auto& file : job.filled(job.part.config.at("config"))) words.insert(words.end(), {"-f", file});
  for (const auto& text : job.filled(job.part.config.at("setup"))) words.insert(words.end(), {"-c", text});
  for (const auto& text : {std::string("init"), std::string("reset halt")}) words.insert(words.end(), {"-c", text});
  for (const auto& text : commands) words.insert(words.end(), {"-c", text});
  for (const auto& text : job.filled(job.part.config.at("after"))) words.insert(words.end(), {"-c", text});
  words.insert(words.end(), {"-c", "shutdown"});
  return words;
}

// An elf or hex file says itself where it goes.
std::string address_of(const FlashJob& job) {
  const auto& address = job.part.config.at("address");
  return address.is_null() ? "" : fmt::format(" 0x{:x}", address.get<std::uint64_t>());
}

// verify_image's own words ("verified 4096 bytes in 0.1s"): that it ended without an error is not enough to say that it compared anything.
bool says_verified(const std::string& said) {
  const std::string words = "verified ";
  const auto at = said.find(words);
  return at != std::string::npos && said.find_first_of("123456789", at) == at + words.size();
}

}  // namespace

FlashDone flash_by_openocd(const FlashJob& job) {
  auto done = facts_of(job.file);
  const auto file = word(job, job.file.string()) + address_of(job);
  std::vector<std::string> commands{"flash write_image erase " + file};
  if (job.part.verify) commands.push_back("verify_image " + file);
  const auto said = run_program(job, openocd_command(job, commands), "write", done.bytes);
  if (!job.part.verify)
    done.unverified_why = kVerifyOff;
  else if (says_verified(said))
    done.verified_by = "openocd verify_image";
  else
    throw Error(ErrorKind::Protocol, job.object, "openocd does not say that it verified",
                "see what it said: flash.program on the timeline");
  return done;
}

FlashDone dump_by_openocd(const FlashJob& job) {
  const ScratchFolder folder;
  const auto read = folder.path() / "read";
  const auto length = job.part.config.at("length_bytes").get<std::uint64_t>();
  std::vector<std::string> commands{fmt::format("dump_image {}{} {}", word(job, read.string()), address_of(job), length)};
  if (job.part.verify) commands.push_back("verify_image " + word(job, read.string()) + address_of(job) + " bin");
  const auto said = run_program(job, openocd_command(job, commands), "read", length);
  if (job.part.verify && !says_verified(said))
    throw Error(ErrorKind::Protocol, job.object, "openocd does not say that it verified",
                "see what it said: flash.program on the timeline");
  auto done = deliver(job, read);
  if (done.bytes != length)
    throw Error(ErrorKind::Protocol, job.object, fmt::format("{} bytes were read instead of {}", done.bytes, length),
                "see what openocd said");
  done.verified_by = job.part.verify ? "openocd verify_image" : "";
  done.unverified_why = job.part.verify ? "" : kVerifyOff;
  return done;
}

}  // namespace hilcop
