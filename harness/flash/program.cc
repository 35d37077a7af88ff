// SPDX-License-Identifier: Apache-2.0
#include "flash/program.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/paths.h"
#include "evidence/sha256.h"
#include "flash/output_file.h"
#include "io/child_process.h"

namespace hilcop {
namespace {

constexpr Nanoseconds kLook = 200ms;
constexpr std::size_t kPiece = 1u << 20;

std::string tail(const std::string& text, std::size_t most) { return text.size() <= most ? text : "..." + text.substr(text.size() - most); }

Error missing(const FlashJob& job, const std::string& program, const Error& why) {
  for (const char* known : {"dfu-util", "fastboot", "openocd"})
    if (program == known) return {ErrorKind::NotFound, job.object, program + " is not installed", "apt install " + program};
  return {why.kind(), job.object, program + ": " + why.cause(), "install it, or mend the board file"};
}

}  // namespace

int last_percentage(const std::string& said) {
  for (auto sign = said.rfind('%'); sign != std::string::npos && sign > 0; sign = said.rfind('%', sign - 1)) {
    std::size_t begin = sign;
    while (begin > 0 && sign - begin < 3 && std::isdigit(static_cast<unsigned char>(said[begin - 1])) != 0) --begin;
    if (begin == sign) continue;
    const int value = std::atoi(said.substr(begin, sign - begin).c_str());
    if (value <= 100) return value;
  }
  return -1;
}

std::string run_program(const FlashJob& job, const std::vector<std::string>& words, const std::string& phase, std::uint64_t total) {
  ProcessOptions options;
  options.program = words.at(0);
  options.arguments.assign(words.begin() + 1, words.end());
  options.capture_output = true;
  job.step(phase, 0, total);
  std::unique_ptr<ChildProcess> child;
  try {
    child = ChildProcess::start(std::move(options));
  } catch (const Error& error) {
    throw missing(job, words.at(0), error);
  }
  const auto tell = [&](const std::string& status) {
    job.dut.events().emit(make_event(job.dut.config().name + "/flash", "flash.program",
                                     {{"arguments", words}, {"status", status}, {"output", child->output()}}));
  };
  std::optional<ExitStatus> status;
  try {
    while (!(status = child->wait(job.deadline.at_most(kLook)))) {
      const int percent = last_percentage(child->output());
      job.step(phase, percent < 0 ? 0 : total / 100 * static_cast<unsigned>(percent), total);
    }
  } catch (const Error& error) {
    child->kill();
    tell("killed");
    throw error.while_doing("it said: " + tail(child->output(), 1000));
  } catch (...) {
    child->kill();
    tell("killed");
    throw;
  }
  tell(status->text());
  if (status->code != 0)
    throw Error(ErrorKind::Protocol, job.object, words.at(0) + " failed: " + status->text(), "see what it said",
                {"it said:\n  | " + tail(child->output(), 2000)});
  job.step(phase, total, total);
  return child->output();
}

ScratchFolder::ScratchFolder() {
  std::string name = (temporary_dir() / "hilcop-flash-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw error_from_errno(errno, "folder " + name, "make");
  path_ = name;
}
ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

FlashDone facts_of(const std::filesystem::path& path) { return {std::filesystem::file_size(path), sha256_file(path), "", ""}; }

void compare_files(const FlashJob& job, const std::filesystem::path& read_back, std::uint64_t size, const std::string& means) {
  const auto image = ImageFile::open_as_it_is(job.file), found = ImageFile::open_as_it_is(read_back);
  std::vector<std::byte> want(kPiece), got(kPiece);
  for (std::uint64_t done = 0; done < size;) {
    job.step("verify", done, size);
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size - done));
    const auto a = std::span(want).first(part), b = std::span(got).first(part);
    if (image->read(a) != part)
      throw Error(ErrorKind::Protocol, job.object, "the image became shorter while it was verified", "leave it alone meanwhile");
    const auto came = found->read(b);
    const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.begin() + static_cast<std::ptrdiff_t>(came)).first;
    if (differs != a.end()) throw job.differs(done + static_cast<std::uint64_t>(differs - a.begin()), means);
    done += part;
  }
  job.step("verify", size, size);
}

FlashDone facts_of_read(const FlashJob& job, const std::filesystem::path& read) {
  if (!std::filesystem::is_regular_file(read) || std::filesystem::file_size(read) == 0)
    throw Error(ErrorKind::Protocol, job.object, "nothing was read", "see what the program said: flash.program on the timeline");
  return facts_of(read);
}

FlashDone deliver(const FlashJob& job, const std::filesystem::path& read) {
  auto facts = facts_of_read(job, read);
  const auto from = ImageFile::open_as_it_is(read);
  OutputFile out(job.file);
  std::vector<std::byte> piece(kPiece);
  for (std::size_t n = from->read(piece); n > 0; n = from->read(piece)) out.write(std::span(piece).first(n));
  out.finish();
  return facts;
}

FlashDone dump_twice(const FlashJob& job, const std::function<void(const std::filesystem::path&, const char*, bool)>& read) {
  const ScratchFolder folder;
  const auto first = folder.path() / "read", second = folder.path() / "again";
  read(first, "read", !job.part.verify);
  if (job.part.verify) {
    const auto facts = facts_of_read(job, first);
    read(second, "verify", true);
    if (facts_of_read(job, second).sha256 != facts.sha256)
      throw Error(ErrorKind::Protocol, job.object, "two reads differ", "see whether something writes to it meanwhile");
  }
  auto done = deliver(job, first);
  done.verified_by = job.part.verify ? "second read, SHA-256" : "";
  done.unverified_why = job.part.verify ? "" : kVerifyOff;
  return done;
}

void check_selector(const FlashJob& job) {
  for (const char* name : {"usb_path", "serial"})
    if (job.values.contains(name)) return;
  throw Error(ErrorKind::Config, job.object, "which device is meant is not said, and " + job.part.route + " would take any",
              "give the DUT `flash_values: { usb_path: ..., serial: ... }` in lab-config");
}

}  // namespace hilcop
