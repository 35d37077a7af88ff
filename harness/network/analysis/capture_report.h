// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/deadline.h"
#include "capture/capture_sequence.h"
#include "network/analysis/canaries.h"
#include "network/analysis/flows.h"
#include "network/analysis/observations.h"
#include "network/analysis/tcp_streams.h"

namespace hilcop::analysis {

struct StreamGap {
  Seen seen;  // its ends; no places: the bytes are not there
  std::uint64_t offset = 0, bytes = 0;
  GapReason reason = GapReason::NotCaptured;
};
struct StreamConflict {
  Seen seen;  // the later bytes, which lost
  std::uint64_t offset = 0;
};

/// Of a capture that is still being written: what was in it when it was last synchronised; of a ring in the files that are read.
struct WrittenSoFar {
  std::uint64_t frames = 0, dropped = 0;
};

struct CaptureReportOptions {
  std::vector<Canary> canaries = {};
  TcpLimits tcp = {};
  /// Reads these frames alone: what is written behind them meanwhile may not be whole. Its losses count where the file tells none yet.
  std::optional<WrittenSoFar> so_far = {};
  std::optional<Deadline> deadline = {};
};

/// All that is in a capture, read once.
struct CaptureReport {
  static constexpr std::size_t kMostGaps = 10'000;

  std::string file;                          // the first one's name
  std::vector<CaptureSequence::File> files;  // frames are counted on from one to the next; offsets are of the file that has the frame
  std::uint64_t frames = 0, bytes = 0, snapped_frames = 0;  // snapped: the capture kept fewer bytes than the wire had
  UtcTime first, last;
  std::vector<CaptureInterface> interfaces;
  std::vector<std::optional<CaptureCounts>> counts;  // by interface; nothing: what was dropped is not known
  std::vector<std::string> damage;
  std::uint64_t unknown_blocks = 0;
  std::map<std::string, std::uint64_t> unread;  // frames that were not read to their payload, by reason

  std::vector<Flow> flows;
  std::uint64_t frames_without_flow = 0;  // of more flows than are kept
  std::uint64_t names_not_kept = 0;       // more than NameTable keeps: a destination may stand there by its address
  std::vector<Destination> destinations;
  TcpCounts tcp;
  std::vector<StreamGap> gaps;  // the first kMostGaps; tcp.gaps has their count
  std::vector<StreamConflict> conflicts;
  Observations observations;
  std::vector<std::string> canary_names;  // that were searched for
  std::vector<CanaryFinding> canaries;
  std::uint64_t canaries_not_kept = 0;
  std::uint64_t opaque_bytes = 0;  // encrypted: TLS, DTLS, QUIC, SSH, and tunnels of HTTP. Whatever is in there nobody can say
  /// Why something that was not found may still have been sent in the plain: bytes that are missing, or that were not searched. While there
  /// is one, absence is not proved. Encrypted bytes are not among these.
  std::vector<std::string> limits;
  bool absence_provable() const { return limits.empty(); }

  void add(StreamGap gap) {
    if (gaps.size() < kMostGaps) gaps.push_back(std::move(gap));
  }
  void add(StreamConflict conflict) {
    if (conflicts.size() < kMostGaps) conflicts.push_back(std::move(conflict));
  }
};

/// Reads it from begin to end; blocks on the file alone. Memory is bounded whatever is in it. Throws Error: the file cannot be read or is
/// no capture, or the canaries cannot be searched for; Timeout where it was not read by the deadline; Interrupted.
CaptureReport analyse_capture(const std::filesystem::path& file, const CaptureReportOptions& options = {});
/// The files of a ring, in their order, as the one capture that they are.
CaptureReport analyse_capture(const std::vector<std::filesystem::path>& files, const CaptureReportOptions& options = {});

/// Passwords by length and SHA-256 alone; every text is printable ASCII.
nlohmann::json to_json(const CaptureReport& report);
/// The part of it that says what was searched for canaries, and what was found.
nlohmann::json canaries_to_json(const CaptureReport& report);

}  // namespace hilcop::analysis
