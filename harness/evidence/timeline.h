// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"

namespace hilcop {

/// Everything that happened, one JSON line an event, written before emit() returns so that SIGKILL loses nothing; but for
/// console.match and console.sent, which are written within 50 ms, in their order. Also serves the event socket. Thread-safe.
class Timeline : public EventSink {
 public:
  struct Options {
    std::filesystem::path file;    // <run>/timeline/<writer>.ndjson; empty: not kept
    std::filesystem::path socket;  // event socket to serve; empty: none
    std::string writer;            // "worker-board1"
  };
  /// Writes a first record with host, boot id, writer and a (steady, UTC) pair; repeats the pair every 10 s.
  static std::unique_ptr<Timeline> open(Options options, const Clock& clock = real_clock());
  /// Also called for each event, in the emitting thread (progress in-process).
  virtual void on_event(std::function<void(const Event&)> callback) = 0;
  /// Error{Exhausted} if an event could not be written since open (disk full): the evidence has a hole. Idempotent.
  virtual void check() = 0;
};

/// Events of one file or of a run's timeline/ folder, merged by steady time (files of another boot id: by UTC). `torn` names
/// files whose last line was cut off, as SIGKILL or a full disk leaves it; `damaged` those with another line that is no event.
/// Such lines are left out.
struct TimelineRead {
  std::vector<Event> events;
  std::vector<std::string> torn, damaged;
};
TimelineRead read_timeline(const std::filesystem::path& file_or_folder);

nlohmann::json to_json(const Event& event);
Event event_from_json(const nlohmann::json& value);

}  // namespace hilcop
