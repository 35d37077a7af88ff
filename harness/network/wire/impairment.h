// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"

namespace hilcop {

/// What happens to the frames of one direction. Shares are of frames, 0 to 1, each frame by itself.
struct Impairment {
  double loss = 0, duplicate = 0;
  double corrupt = 0;        // one bit behind the Ethernet header is flipped
  double reorder = 0;        // goes without the delay, past those that wait for theirs
  Nanoseconds delay{};       // of every frame
  Nanoseconds jitter{};      // standard deviation of the delay (normal, never below 0); frames keep their order
  std::uint64_t rate = 0;    // bit/s, of whole frames without preamble and checksum; 0: as fast as it comes
  std::size_t queue = 1000;  // frames that wait at most: more are lost, as in a router
  bool none() const;
  /// What is wrong with it, for people: a share over 1, reordering without a delay; empty: nothing.
  std::string objection() const;
};

struct ImpairmentCounts {
  std::uint64_t arrived = 0, passed = 0, lost = 0, duplicated = 0, corrupted = 0, reordered = 0, overflowed = 0;
};

/// One direction of a wire. The same seed and the same frames at the same times make the same faults. Not thread-safe, blocks never.
class ImpairedWay {
 public:
  using Send = std::function<void(std::span<const std::byte>)>;
  explicit ImpairedWay(Send send) : send_(std::move(send)) {}

  /// For frames that come from now on. Throws Error{Config}.
  void set(const Impairment& impairment, std::uint64_t seed);
  /// A frame has come: it is sent at once, later, twice, or never.
  void take(std::span<const std::byte> frame, SteadyTime now);
  /// Sends what is due.
  void release(SteadyTime now);
  /// When the next one is due; nullopt: nothing waits.
  std::optional<SteadyTime> next() const;
  /// What waits is lost: the wire was cut.
  void drop_waiting();
  const ImpairmentCounts& counts() const { return counts_; }

 private:
  struct Waiting {
    SteadyTime at;
    std::uint64_t number;
    std::vector<std::byte> frame;
    bool operator<(const Waiting& other) const { return at != other.at ? at > other.at : number > other.number; }  // the first is on top
  };
  bool happens(double share);
  SteadyTime time_for(std::size_t bytes, SteadyTime now);
  void put(std::span<const std::byte> frame, SteadyTime now);

  Send send_;
  Impairment impairment_;
  std::mt19937_64 random_;
  std::priority_queue<Waiting> waiting_;
  std::uint64_t number_ = 0;
  SteadyTime line_free_{}, last_{};
  ImpairmentCounts counts_;
};

}  // namespace hilcop
