// SPDX-License-Identifier: Apache-2.0
#include "network/capture/packet_recorder.h"

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

PacketRecorder::PacketRecorder(const std::string& interface, std::unique_ptr<PcapngWriter> writer)
    : ring_(interface),
      writer_(std::move(writer)),
      interface_(writer_->add_interface(interface, LinkType::Ethernet)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { run(); }) {}

PacketRecorder::~PacketRecorder() { stop(); }

void PacketRecorder::post(Task task) {
  const std::scoped_lock lock(mutex_);
  posted_.push_back(std::move(task));
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void PacketRecorder::mark(std::string text) {
  post([text = std::move(text)](PcapngWriter& writer) { writer.mark(text); });
}

void PacketRecorder::tls_secrets(std::string lines) {
  post([lines = std::move(lines)](PcapngWriter& writer) { writer.tls_secrets(lines); });
}

void PacketRecorder::sync(Deadline deadline) {
  std::uint64_t mine = 0;
  {
    const std::scoped_lock lock(mutex_);
    mine = ++syncs_asked_;
  }
  post([](PcapngWriter&) {});
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
    if (!ending_) ++syncs_asked_;
    ending_ = true;
  }
  post([](PcapngWriter&) {});
  if (thread_.joinable()) thread_.join();
  return status();
}

void PacketRecorder::do_posted() {
  std::vector<Task> tasks;
  {
    const std::scoped_lock lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task(*writer_);
}

void PacketRecorder::write_ready_blocks() {
  const auto write = [this](std::span<const std::byte> bytes, std::uint32_t length, UtcTime at) {
    writer_->packet(interface_, {at, bytes, length, {}});
  };
  for (int i = 0; i < kBlocksInARow && ring_.take_block(write); ++i) {
  }
}

// A new one begins only when the one before is answered: a flood cannot move the goal of who waits.
void PacketRecorder::answer_syncs() {
  const std::scoped_lock lock(mutex_);
  if (syncs_begun_ == syncs_done_ && syncs_asked_ > syncs_begun_) {
    syncs_begun_ = syncs_asked_;
    const auto counts = ring_.counts();
    sync_target_ = counts.seen - counts.dropped;
  }
  if (syncs_begun_ == syncs_done_ || ring_.handed_out() < sync_target_) return;
  writer_->flush();
  status_ = {ring_.handed_out(), writer_->size(), ring_.counts().dropped, writer_->failure()};
  syncs_done_ = syncs_begun_;
  changed_.notify_all();
}

void PacketRecorder::note() {
  const auto counts = ring_.counts();
  const std::scoped_lock lock(mutex_);
  status_ = {ring_.handed_out(), writer_->size(), counts.dropped, writer_->failure()};
}

void PacketRecorder::run() {
  auto flushed = real_clock().now();
  std::optional<Deadline> end;
  for (;;) {
    pollfd ready[] = {{ring_.fd(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    ::poll(ready, 2, static_cast<int>(kFlushEvery.count()));
    if ((ready[0].revents & POLLERR) != 0) ring_.take_error();  // the interface went down or away: what passes later comes all the same
    if (ready[1].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
    }
    do_posted();
    write_ready_blocks();
    answer_syncs();
    if (const auto now = real_clock().now(); now - flushed >= kFlushEvery) {
      writer_->flush();
      flushed = now;
      note();
    }
    const std::scoped_lock lock(mutex_);
    if (ending_ && !end) end = Deadline::in(kMostToEnd);
    if (end && (syncs_done_ >= syncs_asked_ || end->expired())) break;
  }
  do_posted();
  const auto counts = ring_.counts();  // what passed after the last block is neither recorded nor lost: the recording had ended
  const auto lost = std::max(counts.dropped, end->expired() && sync_target_ > ring_.handed_out() ? sync_target_ - ring_.handed_out() : 0);
  writer_->statistics(interface_, {ring_.handed_out() + lost, lost}, real_clock().utc_now());
  writer_->flush(true);
  const std::scoped_lock lock(mutex_);
  status_ = {ring_.handed_out(), writer_->size(), lost, writer_->failure()};
  syncs_done_ = syncs_asked_;
  changed_.notify_all();
}

}  // namespace hilcop
