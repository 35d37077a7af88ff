// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "capture/capture_ring.h"
#include "capture/pcapng_writer.h"
#include "capture/running_secrets.h"

namespace hilcop {

/// What a capture has on the disk.
struct CaptureOnDisk {
  using Files = std::vector<std::filesystem::path>;

  std::uint64_t packets = 0;  // written, those that were removed again too
  std::uint64_t bytes = 0;    // of the files that are kept
  std::uint64_t files_removed = 0, packets_removed = 0;
  std::shared_ptr<const Files> files;   // kept, oldest first; of what was open already none
  SteadyTime begins{};                  // what passed from then on is in the files that are kept
  UtcTime begins_utc{};                 // the same moment
  std::uint64_t secrets_forgotten = 0;  // lines of sessions that may still run which later files lack: there were too many
};

/// Where the packets of one interface are written: one file, or a ring of files (CaptureRing), each complete in itself and all together the
/// whole. Memory: PcapngWriter's, and the secrets of sessions that run. Not thread-safe, but for give_up_at().
class CaptureFiles {
 public:
  /// One file that grows as it will.
  explicit CaptureFiles(std::unique_ptr<PcapngWriter> only, CaptureOnDisk::Files file = {});
  /// A ring whose files are named after `named_after`, which is none of them. Makes the first one. Throws Error: it cannot be made, or
  /// files of such a ring are there.
  CaptureFiles(std::filesystem::path named_after, const CaptureRing& ring, std::string program, std::string comment);

  /// Once, before anything else, when the interface is listened to.
  void begin(const std::string& interface, LinkType type, std::uint32_t snap_length = 0);
  void packet(const Packet& packet);
  /// As PcapngWriter's.
  bool mark(const std::string& text) { return writer_->mark(text); }
  /// They stand in front of what comes after this call, in the files that follow too, until the session is over.
  void tls_secrets(std::string_view lines);
  void tls_over(std::string_view client_random) { secrets_.over(client_random, real_clock().now()); }
  /// So many packets were lost since the begin, the last of them before the packet that comes as the `to_come`th from now at the latest.
  /// Told before that one comes. A file says how many were lost where it may lack them: a loss near a border counts on both sides.
  void lost(std::uint64_t total, std::uint64_t to_come);
  /// Hands what is buffered to the kernel.
  void flush();
  /// Nothing comes after it.
  void finish(UtcTime at);

  CaptureOnDisk on_disk() const;
  const std::optional<Error>& failure() const { return failure_ ? failure_ : writer_->failure(); }
  /// A reader of a pipe is waited for until then. Thread-safe where there is no ring: nobody reads one's pipe.
  void give_up_at(Deadline deadline) {
    if (!ring_) writer_->give_up_at(deadline);
  }

 private:
  struct Kept {
    std::filesystem::path file;
    SteadyTime begins;
    UtcTime begins_utc;
    std::uint64_t packets = 0, bytes = 0;  // of one that is complete
  };
  void open_next();
  void note_files();
  void go_on_in_next();
  void complete(UtcTime at, const std::string& comment);
  void remove_oldest();
  bool is_full(std::size_t more) const;

  std::filesystem::path named_after_;
  std::optional<CaptureRing> ring_;
  std::string program_, comment_, interface_, name_;
  LinkType type_{};
  std::uint32_t snap_length_ = 0;
  std::unique_ptr<PcapngWriter> writer_;
  RunningSecrets secrets_;
  std::deque<Kept> kept_;
  std::shared_ptr<const CaptureOnDisk::Files> files_;
  std::uint64_t number_ = 0, packets_before_ = 0, files_removed_ = 0, packets_removed_ = 0;
  std::uint64_t taken_ = 0;                                             // packets that came, written or not
  std::uint64_t lost_ = 0, lost_here_ = 0, lost_near_ = 0, reach_ = 0;  // reach_: of taken_, where lost_near_ lie behind
  bool old_ = false;
  std::optional<Error> failure_;
};

}  // namespace hilcop
