// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace hilcop {

namespace {

constexpr std::size_t kMostSecrets = 1u << 20;
constexpr std::size_t kRest = 512;  // what a file's end needs: its counts, and that it goes on

}  // namespace

CaptureFiles::CaptureFiles(std::unique_ptr<PcapngWriter> only, CaptureOnDisk::Files file)
    : writer_(std::move(only)), secrets_(0), files_(std::make_shared<const CaptureOnDisk::Files>(std::move(file))) {
  kept_.push_back({{}, real_clock().now(), real_clock().utc_now()});
}

CaptureFiles::CaptureFiles(std::filesystem::path named_after, const CaptureRing& ring, std::string program, std::string comment)
    : named_after_(std::move(named_after)),
      ring_(ring),
      program_(std::move(program)),
      comment_(std::move(comment)),
      secrets_(std::min<std::uint64_t>(kMostSecrets, ring.file_bytes / 4)) {
  if (const auto there = ring_files(named_after_); !there.empty())
    throw Error(ErrorKind::Config, "capture " + named_after_.string(),
                fmt::format("{} files of an earlier ring are there, as {}", there.size(), there.front().filename().string()),
                "move them away, or name another file");
  name_ = to_iso8601(real_clock().utc_now());
  open_next();
}

void CaptureFiles::open_next() {
  const Kept next{ring_file(named_after_, number_ + 1, real_clock().utc_now()), real_clock().now(), real_clock().utc_now()};
  const auto head = to_comment({name_, number_ + 1, packets_before_});
  writer_ = std::make_unique<PcapngWriter>(next.file, program_, comment_.empty() ? head : comment_ + "\n" + head);
  ++number_;
  kept_.push_back(next);
  note_files();
  old_ = false;
}

void CaptureFiles::note_files() {
  CaptureOnDisk::Files files;
  for (const auto& kept : kept_) files.push_back(kept.file);
  files_ = std::make_shared<const CaptureOnDisk::Files>(std::move(files));
}

void CaptureFiles::begin(const std::string& interface, LinkType type, std::uint32_t snap_length) {
  interface_ = interface, type_ = type, snap_length_ = snap_length;
  writer_->add_interface(interface_, type_, snap_length_);
  kept_.back().begins = real_clock().now(), kept_.back().begins_utc = real_clock().utc_now();
}

bool CaptureFiles::is_full(std::size_t more) const {
  return ring_ && !failure() && writer_->packets() != 0 && (old_ || writer_->size() + more + kRest > ring_->file_bytes);
}

void CaptureFiles::packet(const Packet& packet) {
  if (ring_ && is_full(writer_->size_of(packet))) go_on_in_next();
  ++taken_;
  if (!failure_) writer_->packet(0, packet);
}

void CaptureFiles::tls_secrets(std::string_view lines) {
  if (ring_) secrets_.add(lines);
  if (is_full(lines.size() + 64)) return go_on_in_next();  // where they stand in front
  if (!failure_) writer_->tls_secrets(lines);
}

void CaptureFiles::lost(std::uint64_t total, std::uint64_t to_come) {
  if (total <= lost_) return;
  const auto more = total - std::exchange(lost_, total);
  if (taken_ > reach_) lost_near_ = 0;
  lost_near_ += more, lost_here_ += more;
  reach_ = taken_ + to_come;
}

void CaptureFiles::complete(UtcTime at, const std::string& comment) {
  writer_->statistics(0, {writer_->packets() + lost_here_, lost_here_}, at, comment);
}

void CaptureFiles::go_on_in_next() {
  const auto marks = writer_->take_marks();
  complete(real_clock().utc_now(), kRingGoesOn);
  writer_->flush();
  if (writer_->failure()) return;
  packets_before_ += writer_->packets();
  kept_.back().packets = writer_->packets();
  kept_.back().bytes = writer_->size();
  lost_here_ = taken_ <= reach_ ? lost_near_ : 0;
  try {
    while (kept_.size() >= ring_->files) remove_oldest();
    open_next();
  } catch (const Error& error) {
    failure_ = error;
    return;
  }
  writer_->add_interface(interface_, type_, snap_length_);
  writer_->tls_secrets(secrets_.lines(real_clock().now()));
  if (!marks.empty()) writer_->mark(marks);
}

// Before the next one is made: at no time more is on the disk than was asked for.
void CaptureFiles::remove_oldest() {
  std::error_code wrong;
  std::filesystem::remove(kept_.front().file, wrong);  // gone already is as good
  if (wrong)
    throw error_from_errno(wrong.value(), "capture " + kept_.front().file.string(), "cannot be removed to make room for a new file");
  ++files_removed_;
  packets_removed_ += kept_.front().packets;
  kept_.pop_front();
  note_files();
}

void CaptureFiles::flush() {
  writer_->flush();
  if (ring_ && ring_->file_time != Nanoseconds(0) && real_clock().now() - kept_.back().begins >= ring_->file_time) old_ = true;
}

void CaptureFiles::finish(UtcTime at) {
  if (!failure_) complete(at, "");
  writer_->flush(true);
}

CaptureOnDisk CaptureFiles::on_disk() const {
  CaptureOnDisk now;
  const bool opened = !failure_;  // where it is not the last file that is kept is complete
  now.packets = packets_before_ + (opened ? writer_->packets() : 0);
  now.bytes = opened ? writer_->size() : 0;
  for (const auto& kept : kept_) now.bytes += kept.bytes;
  now.files_removed = files_removed_;
  now.packets_removed = packets_removed_;
  now.files = files_;
  now.begins = kept_.front().begins;
  now.begins_utc = kept_.front().begins_utc;
  now.secrets_forgotten = secrets_.forgotten();
  return now;
}

}  // namespace hilcop
