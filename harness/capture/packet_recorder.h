// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "base/error.h"
#include "capture/capture_files.h"
#include "capture/packet_source.h"
#include "io/unique_fd.h"

namespace hilcop {

struct PacketRecorderStatus : CaptureOnDisk {
  /// That the kernel had no room for, or that could not be written: absence proves nothing while it grows.
  std::uint64_t dropped = 0;
  std::uint64_t snapped = 0;     // packets of which not all bytes are there: nobody could keep them
  std::uint64_t notes_lost = 0;  // marks and secrets, of more than kMostPosted bytes that waited to be written or 65,000 for one packet
  std::optional<Error> failure;  // nothing more is written: the disk is full
};

/// Records what a source sees, from the end of the constructor on, by a thread of its own. What passed more than 100 ms ago survives
/// SIGKILL. Memory is bounded: where the disk is slower than the wire packets are dropped, and counted. Methods are thread-safe.
class PacketRecorder {
 public:
  static constexpr std::size_t kMostPosted = 4u << 20;

  PacketRecorder(std::unique_ptr<PacketSource> source, std::unique_ptr<CaptureFiles> files);
  PacketRecorder(std::unique_ptr<PacketSource> source, std::unique_ptr<PcapngWriter> only);
  ~PacketRecorder();
  PacketRecorder(const PacketRecorder&) = delete;
  PacketRecorder& operator=(const PacketRecorder&) = delete;

  /// A comment at the next packet: what the bench does now.
  void mark(std::string text);
  /// Secrets of TLS sessions that the bench ends; they stand in front of what comes after this call.
  void tls_secrets(std::string lines);
  /// The session of that client random, in hex, is over: files of a ring that begin later do without its secrets.
  void tls_over(std::string client_random);
  /// Returns when all that had passed before the call is in the file. Throws Error{Timeout}.
  void sync(Deadline deadline);
  PacketRecorderStatus status();
  /// What had passed is written, the file's counts too; nothing more comes. A pipe that nobody reads holds it up for 2 s. Idempotent.
  PacketRecorderStatus stop();

 private:
  using Task = std::function<bool(CaptureFiles&)>;  // false: there was no room for it
  void post(Task task, std::size_t size);
  void wake();
  void run();
  void do_posted();
  void write_ready_blocks();
  void answer_syncs();
  void tell_losses();
  void note(std::uint64_t lost);

  std::unique_ptr<PacketSource> source_;
  std::unique_ptr<CaptureFiles> files_;
  UniqueFd wake_;
  std::uint64_t sync_target_ = 0, taken_ = 0, snapped_ = 0;  // of what is fetched; packets that came of it. The thread's own
  std::mutex mutex_;                                         // of all below
  std::condition_variable changed_;
  std::vector<Task> posted_;
  std::size_t posted_bytes_ = 0;
  std::uint64_t notes_lost_ = 0;
  std::uint64_t syncs_asked_ = 0, syncs_begun_ = 0, syncs_done_ = 0;
  PacketRecorderStatus status_;
  bool ending_ = false;
  std::mutex join_mutex_;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace hilcop
