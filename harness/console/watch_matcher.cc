// SPDX-License-Identifier: Apache-2.0
#include "console/watch_matcher.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "console/pattern.h"
#include "console/pattern_database.h"
#include "console/window.h"

namespace hilcop {
namespace {

class Vectorscan final : public WatchMatcher {
 public:
  explicit Vectorscan(const std::vector<Watcher>& watchers) : last_end_(watchers.size(), 0) {
    for (const auto& watcher : watchers) {
      names_.push_back(watcher.name);
      try {
        patterns_.push_back(CompiledPattern::get(watcher.pattern));
      } catch (const Error& error) {
        throw error.while_doing("for watcher '" + watcher.name + "'");
      }
    }
    if (auto database = PatternDatabase::get(watchers)) stream_.emplace(std::move(database));
  }

  std::vector<Hit> scan(std::string_view fresh, std::string_view window, std::uint64_t window_offset) override {
    std::vector<Hit> hits;
    confirm_waiting(window, window_offset, false, hits);
    if (!stream_) return hits;
    candidates_.clear();
    if (!scanned_from_) scanned_from_ = window_offset + window.size() - fresh.size();
    stream_->scan(fresh, candidates_);
    for (auto& candidate : candidates_) candidate.end += *scanned_from_;
    for (const auto& candidate : candidates_) confirm(candidate, window, window_offset, false, hits);
    return hits;
  }

  std::vector<Hit> scan_quiet(std::string_view window, std::uint64_t window_offset) override {
    std::vector<Hit> hits;
    confirm_waiting(window, window_offset, true, hits);
    return hits;
  }

 private:
  using Candidate = PatternDatabase::Stream::Candidate;

  void confirm_waiting(std::string_view window, std::uint64_t window_offset, bool quiet, std::vector<Hit>& hits) {
    const auto waiting = std::exchange(waiting_, {});
    for (const auto& candidate : waiting) confirm(candidate, window, window_offset, quiet, hits);
  }

  void confirm(const Candidate& candidate, std::string_view window, std::uint64_t window_offset, bool quiet, std::vector<Hit>& hits) {
    auto& last_end = last_end_[candidate.watcher];
    if (candidate.end <= last_end) return;  // the same finding, longer
    const auto& pattern = *patterns_[candidate.watcher];
    const std::uint64_t limit = window_offset + window.size();
    std::uint64_t from = std::max({last_end, window_offset, candidate.end > Window::kLookBack ? candidate.end - Window::kLookBack : 0});
    while (from < limit) {
      const auto found = search(candidate.watcher, window, static_cast<std::size_t>(from - window_offset), !pattern.has_dollar() || quiet);
      if (!found.found) break;
      const ByteSpan span{window_offset + found.match.begin, window_offset + found.match.end};
      if (span.end >= candidate.end) {
        hits.push_back({candidate.watcher, span});
        last_end = span.end;
        return;
      }
      from = span.end;
    }
    // `$` at the end of what has arrived: the next byte, or silence, decides.
    if (pattern.has_dollar() && candidate.end == limit && !quiet) waiting_.push_back(candidate);
  }

  CompiledPattern::Search search(unsigned watcher, std::string_view window, std::size_t from, bool complete) const {
    try {
      return patterns_[watcher]->search(window, from, complete);
    } catch (const Error& error) {
      throw error.while_doing("for watcher '" + names_[watcher] + "'");
    }
  }

  std::vector<std::string> names_;
  std::vector<std::shared_ptr<const CompiledPattern>> patterns_;
  std::vector<std::uint64_t> last_end_;
  std::vector<Candidate> candidates_, waiting_;
  std::optional<PatternDatabase::Stream> stream_;
  std::optional<std::uint64_t> scanned_from_;  // offset of the first byte that the stream was given
};

}  // namespace

std::unique_ptr<WatchMatcher> WatchMatcher::make(const std::vector<Watcher>& watchers) { return std::make_unique<Vectorscan>(watchers); }

}  // namespace hilcop
