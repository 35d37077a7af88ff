// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "network/port/frame_ring.h"
#include "network/wire/impairment.h"
#include "network/wire/seen_hosts.h"

namespace hilcop {

enum class Direction { FromDevice, ToDevice };

/// Of one direction: what the impairments did, and what the bench itself could not carry. A check that rests on what passed must know.
struct WireCounts {
  ImpairmentCounts frames;
  std::uint64_t cut = 0;        // came while the wire was cut or nothing was plugged in
  std::uint64_t not_kept = 0;   // the kernel had no room for it before it was read, or it was too long
  std::uint64_t not_taken = 0;  // the other end took it not: its queue is full, it is down
};

/// The wire between the device's port and the bench's gateway: every frame of both directions goes through its one thread. What it does not
/// impair goes on at once and in order. Methods are thread-safe and act within a millisecond.
class Wire {
 public:
  /// `port`: the interface that the device hangs on; `gateway`: the far end of the tap that the bench's own addresses are on.
  Wire(const std::string& port, UniqueFd gateway);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// For frames that come from now on. Throws Error{Config}.
  void impair(Direction direction, const Impairment& impairment, std::uint64_t seed);
  /// Cut, nothing passes and what waits is lost; the interfaces at both ends stay as they are.
  void set_cut(bool cut);
  /// Whether a device is there at all: what is for one that is not is cut too. A new wire has one.
  void set_plugged(bool plugged);
  WireCounts counts(Direction direction);
  /// Who has spoken from the device's end so far, also while the wire was cut.
  std::vector<SeenHost> hosts();
  std::uint64_t hosts_left_out();

 private:
  void run();
  bool from_port(SteadyTime now);
  bool from_gateway(SteadyTime now);
  void wake() const;

  FrameRing port_;
  UniqueFd gateway_, wake_;
  std::mutex mutex_;  // of all below
  std::uint64_t not_taken_[2] = {}, cut_frames_[2] = {}, not_kept_ = 0;
  SeenHosts hosts_;
  ImpairedWay from_device_, to_device_;
  bool cut_ = false, plugged_ = true;
  std::vector<std::byte> frame_;
  std::atomic<bool> ending_{false};
  std::thread thread_;  // the last: it uses the others
};

}  // namespace hilcop
