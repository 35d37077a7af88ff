// SPDX-License-Identifier: Apache-2.0
#include "capture/capture_sequence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/error.h"

namespace hilcop {

CaptureSequence::CaptureSequence(std::vector<std::filesystem::path> files, bool goes_on) : paths_(std::move(files)), goes_on_(goes_on) {
  if (paths_.empty() || paths_.size() > kMostFiles)
    throw Error(ErrorKind::Config, "capture", fmt::format("{} files are named as one", paths_.size()),
                fmt::format("name 1 to {}, in the order of time", kMostFiles));
  std::error_code none;
  for (const auto& path : paths_)  // before the first is read for hours
    if (!goes_on_ && !std::filesystem::exists(path, none) && !none)
      throw error_from_errno(ENOENT, "capture " + path.string(), "cannot be read");
  open_next();
}

bool CaptureSequence::open_next() {
  while (opened_ < paths_.size()) {
    const auto& path = paths_[opened_++];
    files_.push_back({path.filename().string(), frames_ + 1, 0});
    try {
      reader_ = std::make_unique<CaptureReader>(path);
    } catch (const Error& error) {
      if (!goes_on_ || error.kind() != ErrorKind::NotFound || opened_ == paths_.size()) throw;
      damage_.push_back(named("was removed before it was read"));
      continue;
    }
    head_.reset(), head_seen_ = false, numbers_.clear();
    return true;
  }
  return false;
}

std::optional<CapturedPacket> CaptureSequence::next() {
  for (;;) {
    if (!reader_) return std::nullopt;
    auto packet = reader_->next();
    if (!head_seen_) begin();
    add_interfaces();
    if (packet) {
      packet->frame = ++frames_;
      packet->interface = numbers_[packet->interface];
      ++files_.back().frames;
      return packet;
    }
    close();
    if (!open_next()) return std::nullopt;
  }
}

// Of what its head says of the ring, which has been read with its first packet, or without one at its end.
void CaptureSequence::begin() {
  head_seen_ = true;
  for (const auto& comment : reader_->comments())
    if (auto found = ring_head_of(comment)) {
      head_ = std::move(found);
      break;
    }
  const auto& name = files_.back().name;
  if (previous_ && head_ && (head_->capture != previous_->capture || head_->file <= previous_->file))
    missing_.push_back(fmt::format("{} is no later file of the same capture as the one before it", name));
  // Where it is a file of another capture nobody can say what is between them.
  const auto have = previous_ ? previous_->packets_before : 0;
  if (head_ && head_->packets_before > have)
    missing_.push_back(
        fmt::format("{} packets were recorded before {} and are in none of these files", head_->packets_before - have, name));
  if (files_.size() > 1 && (!head_ || !previous_))
    missing_.push_back(fmt::format("nobody can say what passed between {} and {}", files_[files_.size() - 2].name, name));
}

void CaptureSequence::close() {
  counts_ = with(*reader_, std::move(counts_));
  for (const auto& line : reader_->damage()) damage_.push_back(named(line));
  unknown_blocks_ += reader_->unknown_blocks();
  last_went_on_ = std::ranges::any_of(reader_->comments(), says_ring_goes_on);
  previous_ = head_;
  if (previous_) previous_->packets_before += files_.back().frames;
  reader_.reset();
}

std::string CaptureSequence::named(const std::string& text) const { return paths_.size() == 1 ? text : files_.back().name + ": " + text; }

void CaptureSequence::add_interfaces() {
  for (auto i = numbers_.size(); i < reader_->interfaces().size(); ++i) {
    const auto& one = reader_->interfaces()[i];
    // The same one as in an earlier file; within a file each is one of its own.
    const auto same = [&](std::size_t known) {
      const auto& other = interfaces_[known];
      return other.name == one.name && other.type == one.type && other.snap_length == one.snap_length &&
             std::ranges::find(numbers_, known) == numbers_.end();
    };
    std::size_t known = 0;
    while (known < interfaces_.size() && !same(known)) ++known;
    if (known == interfaces_.size()) interfaces_.push_back(one), counts_.push_back(CaptureCounts{});
    numbers_.push_back(known);
  }
}

std::vector<std::optional<CaptureCounts>> CaptureSequence::with(const CaptureReader& reader,
                                                                std::vector<std::optional<CaptureCounts>> counts) const {
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    auto& sum = counts[numbers_[i]];
    const auto& more = reader.counts()[i];
    if (sum && more)
      sum->received += more->received, sum->dropped += more->dropped;
    else
      sum.reset();
  }
  return counts;
}

std::vector<std::optional<CaptureCounts>> CaptureSequence::counts() const { return reader_ ? with(*reader_, counts_) : counts_; }

std::vector<std::string> CaptureSequence::damage() const {
  auto all = damage_;
  if (reader_)
    for (const auto& line : reader_->damage()) all.push_back(named(line));
  return all;
}

std::vector<std::string> CaptureSequence::missing() const {
  auto all = missing_;
  if (!reader_ && last_went_on_) all.push_back("the capture goes on in files that are none of these");
  return all;
}

}  // namespace hilcop
