// SPDX-License-Identifier: Apache-2.0
#include "console/hit_log.h"

#include <algorithm>

namespace hilcop {

void HitLog::add(WatcherHit hit, bool fatal, std::uint64_t received) {
  if (fatal) fatal_.push_back({hit, received});
  all_.push_back({std::move(hit), received});
  // An old death may go: whoever asks from before it finds a later one.
  if (fatal_.size() > kMost) fatal_.pop_front();
  if (all_.size() <= kMost) return;
  dropped_to_ = all_.front().received;
  all_.pop_front();
}

// A hit that ends after the offset was found when more than that had been received: all others stand before this place.
HitLog::Entries::const_iterator HitLog::after(const Entries& entries, std::uint64_t offset) {
  return std::upper_bound(entries.begin(), entries.end(), offset, [](std::uint64_t at, const Entry& entry) { return at < entry.received; });
}

void HitLog::check_kept(std::uint64_t offset) const {
  if (offset < dropped_to_)
    throw Error(ErrorKind::Exhausted, object_, "its watchers saw more than " + std::to_string(kMost) + " things: the oldest are not kept",
                "ask for a later part, or read the console.watch events of the timeline");
}

std::vector<WatcherHit> HitLog::since(std::uint64_t offset) const {
  check_kept(offset);
  std::vector<WatcherHit> found;
  for (auto it = after(all_, offset); it != all_.end(); ++it)
    if (it->hit.span.begin >= offset) found.push_back(it->hit);
  return found;
}

const WatcherHit* HitLog::first_of(const std::string& watcher, std::uint64_t offset) const {
  check_kept(offset);
  for (auto it = after(all_, offset); it != all_.end(); ++it)
    if (it->hit.span.begin >= offset && it->hit.watcher == watcher) return &it->hit;
  return nullptr;
}

const WatcherHit* HitLog::first_fatal(std::uint64_t offset) const {
  for (auto it = after(fatal_, offset); it != fatal_.end(); ++it)
    if (it->hit.span.end > offset) return &it->hit;
  return nullptr;
}

}  // namespace hilcop
