// SPDX-License-Identifier: Apache-2.0
#include "console/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hilcop {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;
constexpr std::uint64_t kIndexRecord = 24;  // docs/recording.md
// With a tick every 40 ms, SIGKILL loses at most 90 ms of the bytes; fewer writes than one a read cost a tenth of the time.
constexpr Nanoseconds kBytesWait = 50ms;
constexpr Nanoseconds kLogWaits = 250ms;

// What a worker before this one recorded is evidence: it stays, and the recording goes on behind it.
UniqueFd open_file(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) throw error_from_errno(errno, "recording " + path.string(), "make");
  return fd;
}

std::uint64_t size_of(const UniqueFd& fd, const std::string& object) {
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0) throw error_from_errno(errno, object, "look at");
  return static_cast<std::uint64_t>(about.st_size);
}

}  // namespace

std::string file_stem(const std::string& source) {
  std::string stem = source;
  std::replace(stem.begin(), stem.end(), '/', '-');
  return stem;
}

Recorder::Recorder(const std::filesystem::path& directory, const std::string& source) : name_("recording of " + source) {
  if (directory.empty()) return;
  std::error_code ignored;
  std::filesystem::create_directories(directory, ignored);
  const auto stem = directory / file_stem(source);
  raw_ = open_file(stem.string() + ".raw");
  index_ = open_file(stem.string() + ".index");
  log_file_ = open_file(stem.string() + ".log");
  offset_ = size_of(raw_, name_);
  // A record that was torn by SIGKILL would shift all that follow.
  const auto torn = size_of(index_, name_) % kIndexRecord;
  if (torn != 0 && ::ftruncate(index_.get(), static_cast<off_t>(size_of(index_, name_) - torn)) != 0)
    throw error_from_errno(errno, name_, "mend");
  if (const auto size = size_of(log_file_, name_); size > 0) {
    char last = '\n';
    if (::pread(log_file_.get(), &last, 1, static_cast<off_t>(size - 1)) == 1 && last != '\n') log_.pending() += '\n';
    log_.note("goes on in another process", real_clock().now());
  }
}

void Recorder::append(std::string_view bytes, SteadyTime steady, UtcTime utc) {
  if (raw_) {
    if (raw_buffer_.empty()) bytes_wait_since_ = steady;
    if (log_.pending().empty()) log_waits_since_ = steady;
    const std::int64_t record[3] = {static_cast<std::int64_t>(offset_), to_ns(steady), utc.time_since_epoch().count()};
    index_buffer_.append(reinterpret_cast<const char*>(record), sizeof record);
    raw_buffer_.append(bytes);
    log_.append(bytes, steady);
  }
  offset_ += bytes.size();
  if (raw_buffer_.size() >= kBuffer) write_bytes();
  if (log_.pending().size() >= kBuffer) write_out(log_file_, log_.pending());
}

void Recorder::on_tick(SteadyTime now) {
  if (!raw_buffer_.empty() && now - bytes_wait_since_ >= kBytesWait) write_bytes();
  if (!log_.pending().empty() && now - log_waits_since_ >= kLogWaits) write_out(log_file_, log_.pending());
}

// Bytes first: an index entry never points at what is not there.
void Recorder::write_bytes() {
  write_out(raw_, raw_buffer_);
  write_out(index_, index_buffer_);
}

void Recorder::note_gap(const Gap& gap) {
  if (raw_) log_.note("gap: " + gap.cause + (gap.detail.empty() ? "" : ": " + gap.detail), gap.begin);
}

void Recorder::write_out(const UniqueFd& fd, std::string& buffer) {
  std::size_t done = 0;
  while (done < buffer.size() && !failure_) {
    const auto n = ::write(fd.get(), buffer.data() + done, buffer.size() - done);
    if (n > 0) done += static_cast<std::size_t>(n);
    if (n < 0 && errno != EINTR) failure_ = error_from_errno(errno == EFBIG ? ENOSPC : errno, name_, "write");
  }
  buffer.clear();
}

void Recorder::flush(bool sync) {
  if (!raw_) return;
  write_bytes();
  write_out(log_file_, log_.pending());
  if (!sync || failure_) return;
  for (const auto* fd : {&raw_, &index_, &log_file_})
    if (::fdatasync(fd->get()) != 0 && errno != EINVAL) failure_ = error_from_errno(errno, name_, "sync");
}

std::string Recorder::read(ByteSpan span) {
  write_bytes();
  if (failure_) throw Error(*failure_);
  std::string text(span.end - span.begin, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const auto n = ::pread(raw_.get(), text.data() + done, text.size() - done, static_cast<off_t>(span.begin + done));
    if (n <= 0) throw error_from_errno(n < 0 ? errno : EIO, name_, "read back");
    done += static_cast<std::size_t>(n);
  }
  return text;
}

}  // namespace hilcop
