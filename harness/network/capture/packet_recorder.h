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
#include "network/capture/pcapng_writer.h"
#include "network/port/packet_ring.h"

namespace hilcop {

struct PacketRecorderStatus {
  std::uint64_t packets = 0, bytes = 0;  // written, the file's size
  std::uint64_t dropped = 0;             // that the kernel had no room for: absence proves nothing while it grows
  std::optional<Error> failure;          // nothing more is written: the disk is full
};

/// Records what passes an interface, from the end of the constructor on, by a thread of its own. What passed more than 100 ms ago survives
/// SIGKILL. Methods are thread-safe.
class PacketRecorder {
 public:
  /// Throws Error where the interface cannot be listened to.
  PacketRecorder(const std::string& interface, std::unique_ptr<PcapngWriter> writer);
  ~PacketRecorder();
  PacketRecorder(const PacketRecorder&) = delete;
  PacketRecorder& operator=(const PacketRecorder&) = delete;

  /// A comment at the next packet: what the bench does now.
  void mark(std::string text);
  /// Secrets of TLS sessions that the bench ends; they stand in front of what comes after this call.
  void tls_secrets(std::string lines);
  /// Returns when all that had passed before the call is in the file. Throws Error{Timeout}.
  void sync(Deadline deadline);
  PacketRecorderStatus status();
  /// What had passed is written, the file's counts too; nothing more comes. Idempotent.
  PacketRecorderStatus stop();

 private:
  using Task = std::function<void(PcapngWriter&)>;
  void post(Task task);
  void run();
  void do_posted();
  void write_ready_blocks();
  void answer_syncs();
  void note();

  PacketRing ring_;
  std::unique_ptr<PcapngWriter> writer_;
  std::uint32_t interface_;
  UniqueFd wake_;
  std::uint64_t sync_target_ = 0;  // of packets handed out; the thread's own
  std::mutex mutex_;               // of all below
  std::condition_variable changed_;
  std::vector<Task> posted_;
  std::uint64_t syncs_asked_ = 0, syncs_begun_ = 0, syncs_done_ = 0;
  PacketRecorderStatus status_;
  bool ending_ = false;
  std::thread thread_;  // the last: it uses the others
};

}  // namespace hilcop
