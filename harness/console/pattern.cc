// SPDX-License-Identifier: Apache-2.0
#include "console/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstring>
#include <map>
#include <mutex>

#include "base/error.h"

namespace hilcop {
namespace {

std::string pcre2_text(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

class Literal final : public CompiledPattern {
 public:
  explicit Literal(std::string text) : text_(std::move(text)) {
    if (text_.empty())
      throw Error(ErrorKind::Config, "pattern", "is empty: it would match before anything arrived", "write what to wait for");
  }
  Search search(std::string_view text, std::size_t from, bool) const override {
    const void* hit = from < text.size() ? ::memmem(text.data() + from, text.size() - from, text_.data(), text_.size()) : nullptr;
    if (hit != nullptr) {
      const auto begin = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
      return {true, {begin, begin + text_.size(), {}}, 0};
    }
    const std::size_t overlap = text_.size() - 1;
    return {false, {}, std::max(from, text.size() > overlap ? text.size() - overlap : 0)};
  }
  bool has_dollar() const override { return false; }

 private:
  std::string text_;
};

class Regex final : public CompiledPattern {
 public:
  explicit Regex(const std::string& regex) : regex_(regex) {
    const std::string bounded = bounded_regex(regex);
    dollar_ = replace_anchors(regex, "^", "") != regex;
    auto* context = pcre2_compile_context_create(nullptr);
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    int code = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(bounded.data()), bounded.size(), PCRE2_MULTILINE, &code, &offset, context));
    pcre2_compile_context_free(context);
    if (code_ == nullptr)
      throw Error(ErrorKind::Config, "pattern '" + regex + "'", pcre2_text(code), "mend the regex (PCRE syntax), or use a literal");
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    std::uint32_t may_be_empty = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_MATCHEMPTY, &may_be_empty);
    if (may_be_empty != 0)
      throw Error(ErrorKind::Config, "pattern '" + regex + "'", "can match the empty text: it would match before anything arrived",
                  "make a part of it obligatory");
  }

  Search search(std::string_view text, std::size_t from, bool complete) const override {
    if (from > text.size()) return {false, {}, text.size()};
    auto* data = match_data();
    const int count = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                                  complete ? 0 : PCRE2_PARTIAL_HARD, data, nullptr);
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data);
    Search result;
    if (count > 0 && ends[1] > ends[0]) {
      result.found = true;
      result.match.begin = ends[0];
      result.match.end = ends[1];
      for (int i = 1; i < count; ++i)
        result.match.groups.emplace_back(ends[2 * i] == PCRE2_UNSET ? std::string()
                                                                    : std::string(text.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i])));
    } else if (count == PCRE2_ERROR_PARTIAL) {
      // A lookbehind may need what stands before the partial match.
      result.retry_from = ends[0];
    } else if (count >= 0 || count == PCRE2_ERROR_NOMATCH) {
      result.retry_from = text.size();
    } else {
      // PCRE2's limits of steps and memory: to go on as if nothing matched would miss what does.
      throw Error(ErrorKind::Exhausted, "pattern '" + regex_ + "'", "cannot be decided on what was received: " + pcre2_text(count),
                  "write it so that a text fits it in one way only: no repeat within a repeat");
    }
    return result;
  }
  bool has_dollar() const override { return dollar_; }

 private:
  // One per thread: a search must not allocate, and a pattern is shared by threads.
  pcre2_match_data* match_data() const {
    struct Owner {
      pcre2_match_data* data = pcre2_match_data_create(128, nullptr);
      ~Owner() { pcre2_match_data_free(data); }
    };
    thread_local Owner owner;
    return owner.data;
  }

  struct FreeCode {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  };

  std::unique_ptr<pcre2_code, FreeCode> code_;
  std::string regex_;
  bool dollar_ = false;
};

}  // namespace

std::shared_ptr<const CompiledPattern> CompiledPattern::get(const Pattern& pattern) {
  static std::mutex mutex;
  static std::map<std::pair<Pattern::Kind, std::string>, std::shared_ptr<const CompiledPattern>> cache;
  const std::scoped_lock lock(mutex);
  auto& entry = cache[{pattern.kind, pattern.text}];
  if (!entry) {
    if (cache.size() > 1000) cache.clear();  // patterns made by the thousand (markers): keep what is in use only
    if (pattern.kind == Pattern::Kind::Literal) return std::make_shared<Literal>(pattern.text);  // nothing to compile
    return cache[{pattern.kind, pattern.text}] = std::make_shared<Regex>(pattern.text);
  }
  return entry;
}

void check_pattern(const Pattern& pattern) { CompiledPattern::get(pattern); }

std::string replace_anchors(std::string_view regex, std::string_view line_begin, std::string_view line_end) {
  std::string out;
  while (!regex.empty()) {
    std::size_t length = 1;
    if (regex[0] == '\\') {
      length = 2;
    } else if (regex[0] == '[') {  // a class ends at the first ] that is not its first member, not escaped, and not of a [:name:]
      if (regex.substr(length).starts_with('^')) ++length;
      if (regex.substr(length).starts_with(']')) ++length;
      while (length < regex.size() && regex[length] != ']') {
        const auto name_end = regex.substr(length).starts_with("[:") ? regex.find(":]", length) : std::string_view::npos;
        length = name_end != std::string_view::npos ? name_end + 2 : length + (regex[length] == '\\' ? 2 : 1);
      }
      ++length;
    }
    const auto atom = regex.substr(0, length);
    out += atom == "^" ? line_begin : atom == "$" ? line_end : atom;
    regex.remove_prefix(atom.size());
  }
  return out;
}

Pattern before_escapes(std::string regex) {
  if (!regex.ends_with('$') || regex.ends_with("\\$")) return Pattern::regex(std::move(regex));
  regex.pop_back();
  return Pattern::regex(regex + R"((\x1b\[[0-9;?]{0,16}[A-Za-z]){0,4}$)");
}

}  // namespace hilcop
