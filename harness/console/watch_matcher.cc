// SPDX-License-Identifier: Apache-2.0
#include "console/watch_matcher.h"

#include <hs/hs.h>

#include <algorithm>

#include "base/error.h"
#include "console/pattern.h"

namespace hilcop {
namespace {

// Vectorscan finds where a match may end; what exactly matched is PCRE2's word. So anything that widens is allowed here: a
// trailing $ is dropped, since in a stream it would match at the stream's end only.
std::string for_vectorscan(const Pattern& pattern) {
  if (pattern.kind == Pattern::Kind::Regex) {
    std::string text = pattern.text;
    if (text.ends_with('$') && !text.ends_with("\\$")) text.pop_back();
    return text;
  }
  std::string text;
  constexpr char digits[] = "0123456789abcdef";
  for (const unsigned char c : pattern.text) text += {'\\', 'x', digits[c >> 4], digits[c & 15]};
  return text;
}

class Vectorscan final : public WatchMatcher {
 public:
  explicit Vectorscan(const std::vector<Watcher>& watchers) : last_end_(watchers.size(), 0) {
    std::vector<std::string> texts;
    std::vector<const char*> pointers;
    std::vector<unsigned> flags, ids;
    for (const auto& watcher : watchers) {
      try {
        patterns_.push_back(CompiledPattern::get(watcher.pattern));
      } catch (const Error& error) {
        throw error.while_doing("for watcher '" + watcher.name + "'");
      }
      texts.push_back(for_vectorscan(watcher.pattern));
      ids.push_back(static_cast<unsigned>(ids.size()));
    }
    for (const auto& text : texts) pointers.push_back(text.c_str());
    for (std::size_t i = 0; i < texts.size(); ++i) flags.push_back(flags_for(watchers[i], texts[i]));
    if (texts.empty()) return;
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(pointers.data(), flags.data(), ids.data(), static_cast<unsigned>(texts.size()), HS_MODE_STREAM, nullptr,
                         &database_, &error) != HS_SUCCESS)
      fail(watchers[static_cast<std::size_t>(std::max(error->expression, 0))], error);
    if (hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS || hs_open_stream(database_, 0, &stream_) != HS_SUCCESS)
      throw Error(ErrorKind::Exhausted, "watchers", "no memory for the matcher");
  }
  ~Vectorscan() override {
    if (stream_ != nullptr) hs_close_stream(stream_, nullptr, nullptr, nullptr);
    hs_free_scratch(scratch_);
    hs_free_database(database_);
  }

  std::vector<Hit> scan(std::string_view fresh, std::string_view window, std::uint64_t window_offset) override {
    std::vector<Hit> hits;
    confirm_waiting(window, window_offset, false, hits);
    if (stream_ == nullptr) return hits;
    candidates_.clear();
    const auto found = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* self) {
      static_cast<Vectorscan*>(self)->candidates_.push_back({id, to});
      return 0;
    };
    hs_scan_stream(stream_, fresh.data(), static_cast<unsigned>(fresh.size()), 0, scratch_, found, this);
    for (const auto& candidate : candidates_) confirm(candidate, window, window_offset, false, hits);
    return hits;
  }

  std::vector<Hit> scan_quiet(std::string_view window, std::uint64_t window_offset) override {
    std::vector<Hit> hits;
    confirm_waiting(window, window_offset, true, hits);
    return hits;
  }

 private:
  struct Candidate {
    unsigned watcher;
    std::uint64_t end;
  };

  [[noreturn]] static void fail(const Watcher& watcher, hs_compile_error_t* error) {
    const std::string cause = error->message;
    hs_free_compile_error(error);
    throw Error(ErrorKind::Config, "watcher '" + watcher.name + "', pattern '" + watcher.pattern.text + "'", cause, "write it simpler");
  }

  // What Vectorscan cannot do exactly (look-around, back-references) it may widen: PCRE2 judges.
  static unsigned flags_for(const Watcher& watcher, const std::string& text) {
    for (const unsigned flags : {unsigned{HS_FLAG_MULTILINE}, unsigned{HS_FLAG_MULTILINE | HS_FLAG_PREFILTER}}) {
      hs_expr_info_t* info = nullptr;
      hs_compile_error_t* error = nullptr;
      if (hs_expression_info(text.c_str(), flags, &info, &error) == HS_SUCCESS) {
        ::free(info);
        return flags;
      }
      if ((flags & HS_FLAG_PREFILTER) != 0) fail(watcher, error);
      hs_free_compile_error(error);
    }
    return HS_FLAG_MULTILINE;
  }

  void confirm_waiting(std::string_view window, std::uint64_t window_offset, bool quiet, std::vector<Hit>& hits) {
    const auto waiting = std::exchange(waiting_, {});
    for (const auto& candidate : waiting) confirm(candidate, window, window_offset, quiet, hits);
  }

  void confirm(const Candidate& candidate, std::string_view window, std::uint64_t window_offset, bool quiet, std::vector<Hit>& hits) {
    auto& last_end = last_end_[candidate.watcher];
    if (candidate.end <= last_end) return;  // the same finding, longer
    const auto& pattern = *patterns_[candidate.watcher];
    const std::uint64_t limit = window_offset + window.size();
    std::uint64_t from = std::max({last_end, window_offset, candidate.end > kLookBack ? candidate.end - kLookBack : 0});
    while (from < limit) {
      const auto search = pattern.search(window, static_cast<std::size_t>(from - window_offset), !pattern.ends_with_dollar() || quiet);
      if (!search.found) break;
      const ByteSpan span{window_offset + search.match.begin, window_offset + search.match.end};
      if (span.end >= candidate.end) {
        hits.push_back({candidate.watcher, span});
        last_end = span.end;
        return;
      }
      from = span.end;
    }
    // `$` at the end of what has arrived: the next byte, or silence, decides.
    if (pattern.ends_with_dollar() && candidate.end == limit && !quiet) waiting_.push_back(candidate);
  }

  std::vector<std::shared_ptr<const CompiledPattern>> patterns_;
  std::vector<std::uint64_t> last_end_;
  std::vector<Candidate> candidates_, waiting_;
  hs_database_t* database_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
  hs_stream_t* stream_ = nullptr;
};

}  // namespace

std::unique_ptr<WatchMatcher> WatchMatcher::make(const std::vector<Watcher>& watchers) { return std::make_unique<Vectorscan>(watchers); }

}  // namespace hilcop
