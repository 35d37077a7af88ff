// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "console/console.h"
#include "console/io_loop.h"
#include "fakes/pty_port.h"
#include "io/faulty_stream.h"

namespace hilcop {

/// FNV-1a over a stream: tells whether a recording is what arrived, without keeping either.
struct StreamSum {
  std::uint64_t bytes = 0, hash = 14695981039346656037u;
  void add(std::string_view text) {
    for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211u;
    bytes += text.size();
  }
  bool operator==(const StreamSum&) const = default;
};

/// One device, its faulty line and its console. Even ones are pseudo-terminals; odd ones are sockets, whose line also breaks and is
/// opened again. What must arrive is known: the same plan of faults is followed beside the line.
class SoakLine {
 public:
  SoakLine(int number, const std::filesystem::path& record_dir, const std::vector<Watcher>& watchers, IoLoop& loop, EventSink& sink);

  /// As much of the text as the line takes now, as the device says it; returns how much.
  std::size_t say(std::string_view text);
  /// What the device has been told since the last call.
  std::size_t hear();
  Console& console() { return *console_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t breaks() const { return breaks_; }
  const StreamSum& expected() const { return expected_; }
  /// Closes the console and sums up its recording.
  StreamSum recorded();

 private:
  std::unique_ptr<ByteStream> connect();

  std::string source_;
  std::filesystem::path record_dir_;
  LineFaults faults_;
  std::optional<PtyPort> pty_;
  UniqueFd device_, line_;
  std::shared_ptr<LineFaultState> state_;
  FaultPlan model_;
  StreamSum expected_;
  std::uint64_t sent_ = 0;
  std::atomic<std::uint64_t> breaks_{0};
  std::unique_ptr<Console> console_;
};

}  // namespace hilcop
