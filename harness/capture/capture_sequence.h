// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/capture_reader.h"
#include "capture/capture_ring.h"

namespace hilcop {

/// One capture that stands in one file or in several, in the order of time: a ring, or part of one. Frames are counted on from file to
/// file, and an interface that several files have is one. What is missing before, between and behind the files is said in missing().
/// Memory: one block. Not thread-safe.
class CaptureSequence {
 public:
  struct File {
    std::string name;               // without folders
    std::uint64_t first_frame = 1;  // what this file's first has, if it has one
    std::uint64_t frames = 0;       // read so far
  };
  static constexpr std::size_t kMostFiles = 10'000;

  /// goes_on: it is still being written, so that its oldest files may be removed meanwhile: which is told in damage(). Throws Error: there
  /// is no file, one of them cannot be read or is no capture.
  explicit CaptureSequence(std::vector<std::filesystem::path> files, bool goes_on = false);

  /// As CaptureReader's, over all files. Throws Error where a later one cannot be read.
  std::optional<CapturedPacket> next();
  const std::vector<CaptureInterface>& interfaces() const { return interfaces_; }
  /// Over all files read so far; nothing: one of them does not say.
  std::vector<std::optional<CaptureCounts>> counts() const;
  /// Each with its file's name, where there are several.
  std::vector<std::string> damage() const;
  std::uint64_t unknown_blocks() const { return unknown_blocks_ + (reader_ ? reader_->unknown_blocks() : 0); }
  const std::vector<File>& files() const { return files_; }
  /// Sentences: what the files themselves say that the whole capture has and these have not.
  std::vector<std::string> missing() const;

 private:
  bool open_next();
  void begin();
  void close();
  void add_interfaces();
  std::vector<std::optional<CaptureCounts>> with(const CaptureReader& reader, std::vector<std::optional<CaptureCounts>> counts) const;
  std::string named(const std::string& text) const;

  std::vector<std::filesystem::path> paths_;
  bool goes_on_;
  std::size_t opened_ = 0;
  std::unique_ptr<CaptureReader> reader_;
  std::vector<File> files_;
  std::vector<CaptureInterface> interfaces_;
  std::vector<std::size_t> numbers_;  // of the open file's interfaces
  std::vector<std::optional<CaptureCounts>> counts_;
  std::vector<std::string> damage_, missing_;
  std::uint64_t unknown_blocks_ = 0, frames_ = 0;
  bool head_seen_ = false, last_went_on_ = false;
  std::optional<RingHead> head_, previous_;
};

}  // namespace hilcop
