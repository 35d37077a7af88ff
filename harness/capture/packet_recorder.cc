// SPDX-License-Identifier: Apache-2.0
#include "capture/packet_recorder.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hilcop {

namespace {

constexpr std::chrono::milliseconds kFlushEvery{50};
constexpr std::chrono::seconds kMostToEnd{2};  // for the kernel to hand out what it has counted: twenty times what that takes
constexpr int kBlocksInARow = 16;              // before it looks what else is asked of it

}  // namespace

PacketRecorder::PacketRecorder(std::unique_ptr<PacketSource> source, std::unique_ptr<CaptureFiles> files)
    : source_(std::move(source)), files_(std::move(files)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  files_->begin(source_->name(), source_->link_type());
  note(0);
  thread_ = std::thread([this] { run(); });
}

PacketRecorder::PacketRecorder(std::unique_ptr<PacketSource> source, std::unique_ptr<PcapngWriter> only)
    : PacketRecorder(std::move(source), std::make_unique<CaptureFiles>(std::move(only))) {}

PacketRecorder::~PacketRecorder() { stop(); }

void PacketRecorder::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void PacketRecorder::post(Task task, std::size_t size) {
  constexpr std::size_t kOfTask = 128;
  const std::scoped_lock lock(mutex_);
  if (posted_bytes_ + size + kOfTask > kMostPosted) {
    status_.notes_lost = ++notes_lost_;
    return;
  }
  posted_bytes_ += size + kOfTask;
  posted_.push_back(std::move(task));
  wake();
}

void PacketRecorder::mark(std::string text) {
  const auto size = text.size();
  post([text = std::move(text)](CaptureFiles& files) { return files.mark(text); }, size);
}

void PacketRecorder::tls_secrets(std::string lines) {
  const auto size = lines.size();
  post([lines = std::move(lines)](CaptureFiles& files) { return files.tls_secrets(lines), true; }, size);
}

void PacketRecorder::tls_over(std::string client_random) {
  const auto size = client_random.size();
  post([random = std::move(client_random)](CaptureFiles& files) { return files.tls_over(random), true; }, size);
}

void PacketRecorder::sync(Deadline deadline) {
  std::uint64_t mine = 0;
  {
    const std::scoped_lock lock(mutex_);
    mine = ++syncs_asked_;
  }
  wake();
  std::unique_lock lock(mutex_);
  const bool done = changed_.wait_until(lock, deadline.at(), [&] { return syncs_done_ >= mine || ending_; });
  if (!done)
    throw Error(ErrorKind::Timeout, "capture", "what had passed was not written in time",
                "see whether the disk or this host is overloaded");
}

PacketRecorderStatus PacketRecorder::status() {
  const std::scoped_lock lock(mutex_);
  return status_;
}

PacketRecorderStatus PacketRecorder::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (!ending_) ++syncs_asked_, files_->give_up_at(Deadline::in(kMostToEnd));
    ending_ = true;
  }
  wake();
  {
    const std::scoped_lock joining(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }
  return status();
}

void PacketRecorder::do_posted() {
  std::vector<Task> tasks;
  {
    const std::scoped_lock lock(mutex_);
    tasks.swap(posted_);
    posted_bytes_ = 0;
  }
  std::uint64_t left_out = 0;
  for (const auto& task : tasks) left_out += task(*files_) ? 0 : 1;
  if (left_out == 0) return;
  const std::scoped_lock lock(mutex_);
  status_.notes_lost = notes_lost_ += left_out;
}

void PacketRecorder::write_ready_blocks() {
  const auto write = [this](std::span<const std::byte> bytes, std::uint32_t length, UtcTime at) {
    ++taken_;
    if (bytes.size() < length) ++snapped_;
    files_->packet({at, bytes, length, {}});
  };
  for (int i = 0; i < kBlocksInARow && source_->take_block(write); ++i) {
  }
}

// A new one begins only when the one before is answered: a flood cannot move the goal of who waits.
void PacketRecorder::answer_syncs() {
  {
    const std::scoped_lock lock(mutex_);
    if (syncs_begun_ == syncs_done_ && syncs_asked_ > syncs_begun_) {
      syncs_begun_ = syncs_asked_;
      const auto counts = source_->counts();
      sync_target_ = counts.seen - counts.dropped;
    }
    if (syncs_begun_ == syncs_done_ || source_->fetched() < sync_target_) return;
  }
  files_->flush();  // a slow reader of a pipe is waited for here: nobody else is to wait for it too
  const std::scoped_lock lock(mutex_);
  note(source_->counts().dropped);
  syncs_done_ = syncs_begun_;
  changed_.notify_all();
}

// More often than the kernel's ring can be emptied, so that a loss is told before what it precedes is written.
void PacketRecorder::tell_losses() {
  const auto counts = source_->counts();
  files_->lost(counts.dropped, counts.seen - counts.dropped - std::min(source_->fetched(), counts.seen - counts.dropped));
}

// With the mutex held, or before the thread begins.
void PacketRecorder::note(std::uint64_t lost) {
  static_cast<CaptureOnDisk&>(status_) = files_->on_disk();
  status_.dropped = lost + taken_ - status_.packets;
  status_.snapped = snapped_;
  status_.notes_lost = notes_lost_;
  status_.failure = files_->failure();
}

void PacketRecorder::run() {
  auto flushed = real_clock().now();
  std::optional<Deadline> end;
  for (;;) {
    pollfd ready[] = {{source_->fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    ::poll(ready, 2, static_cast<int>(kFlushEvery.count()));
    if ((ready[0].revents & POLLERR) != 0) source_->take_error();  // the interface went down or away: what passes later comes all the same
    if (ready[1].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
    }
    do_posted();
    write_ready_blocks();
    tell_losses();
    answer_syncs();
    if (const auto now = real_clock().now(); now - flushed >= kFlushEvery) {
      files_->flush();
      flushed = now;
      const std::scoped_lock lock(mutex_);
      note(source_->counts().dropped);
    }
    const std::scoped_lock lock(mutex_);
    if (ending_ && !end) end = Deadline::in(kMostToEnd);
    if (end && (syncs_done_ >= syncs_asked_ || end->expired())) break;
  }
  do_posted();
  const auto counts = source_->counts();  // what passed after the last block is neither recorded nor lost: the recording had ended
  const auto lost = std::max(counts.dropped, end->expired() && sync_target_ > source_->fetched() ? sync_target_ - source_->fetched() : 0);
  files_->lost(lost, 0);
  files_->finish(real_clock().utc_now());
  const std::scoped_lock lock(mutex_);
  note(lost);
  syncs_done_ = syncs_asked_;
  changed_.notify_all();
}

}  // namespace hilcop
