// SPDX-License-Identifier: Apache-2.0
#include "console/pattern_database.h"

#include <hs/hs.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/error.h"
#include "console/pattern.h"

namespace hilcop {
namespace {

// Vectorscan finds where a match may end; what exactly matched is PCRE2's word. So anything that widens is allowed here. In a
// stream its $ would match before a newline alone, and its ^ after one: PCRE2 knows lines that end with a carriage return, too.
std::string for_vectorscan(const Pattern& pattern) {
  if (pattern.kind == Pattern::Kind::Regex) return replace_anchors(pattern.text, "(?:^|\\r)", "");
  std::string text;
  constexpr char digits[] = "0123456789abcdef";
  for (const unsigned char c : pattern.text) text += {'\\', 'x', digits[c >> 4], digits[c & 15]};
  return text;
}

[[noreturn]] void fail(const Watcher& watcher, hs_compile_error_t* error) {
  const std::string cause = error->message;
  hs_free_compile_error(error);
  throw Error(ErrorKind::Config, "watcher '" + watcher.name + "', pattern '" + watcher.pattern.text + "'", cause, "write it simpler");
}

// What Vectorscan cannot do exactly (look-around, back-references) it may widen: PCRE2 judges.
unsigned flags_for(const Watcher& watcher, const std::string& text) {
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

// One for each thread that scans, large enough for every database that it has met.
class Scratch {
 public:
  ~Scratch() { hs_free_scratch(scratch_); }
  hs_scratch_t* for_database(const hs_database_t* database, std::uint64_t id) {
    if (!fits_.contains(id)) {
      if (hs_alloc_scratch(database, &scratch_) != HS_SUCCESS) throw Error(ErrorKind::Exhausted, "watchers", "no memory for the matcher");
      fits_.insert(id);
    }
    return scratch_;
  }

 private:
  hs_scratch_t* scratch_ = nullptr;
  std::set<std::uint64_t> fits_;
};

}  // namespace

std::shared_ptr<const PatternDatabase> PatternDatabase::get(const std::vector<Watcher>& watchers) {
  if (watchers.empty()) return nullptr;
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const PatternDatabase>> known;
  std::string key;
  for (const auto& watcher : watchers) key += (watcher.pattern.kind == Pattern::Kind::Regex ? 'r' : 'l') + watcher.pattern.text + '\0';
  const std::scoped_lock lock(mutex);
  if (auto there = known[key].lock()) return there;
  std::shared_ptr<const PatternDatabase> made(new PatternDatabase(watchers));
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  known[key] = made;
  return made;
}

PatternDatabase::PatternDatabase(const std::vector<Watcher>& watchers) {
  static std::atomic<std::uint64_t> last_id{0};
  id_ = ++last_id;
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
  std::vector<unsigned> flags, ids;
  for (const auto& watcher : watchers) {
    texts.push_back(for_vectorscan(watcher.pattern));
    flags.push_back(flags_for(watcher, texts.back()));
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  for (const auto& text : texts) pointers.push_back(text.c_str());
  hs_compile_error_t* error = nullptr;
  if (hs_compile_multi(pointers.data(), flags.data(), ids.data(), static_cast<unsigned>(texts.size()), HS_MODE_STREAM, nullptr, &database_,
                       &error) != HS_SUCCESS)
    fail(watchers[static_cast<std::size_t>(std::max(error->expression, 0))], error);
}

PatternDatabase::~PatternDatabase() { hs_free_database(database_); }

PatternDatabase::Stream::Stream(std::shared_ptr<const PatternDatabase> database) : database_(std::move(database)) {
  if (hs_open_stream(database_->database_, 0, &stream_) != HS_SUCCESS)
    throw Error(ErrorKind::Exhausted, "watchers", "no memory for the matcher");
}

PatternDatabase::Stream::~Stream() { hs_close_stream(stream_, nullptr, nullptr, nullptr); }

void PatternDatabase::Stream::scan(std::string_view fresh, std::vector<Candidate>& found) {
  thread_local Scratch scratch;
  const auto note = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* list) {
    static_cast<std::vector<Candidate>*>(list)->push_back({id, to});
    return 0;
  };
  auto* memory = scratch.for_database(database_->database_, database_->id_);
  if (hs_scan_stream(stream_, fresh.data(), static_cast<unsigned>(fresh.size()), 0, memory, note, &found) != HS_SUCCESS)
    throw Error(ErrorKind::Exhausted, "watchers", "the matcher failed: what arrives is not watched");
}

}  // namespace hilcop
