// SPDX-License-Identifier: Apache-2.0
// Makes a regex safe for an endless stream: a walk over its atoms and repeats, not a full parser (PCRE2 checks the rest).
#include <optional>

#include "base/error.h"
#include "console/pattern.h"

namespace hilcop {
namespace {

constexpr int kMaxOfCharacter = 4096;
constexpr int kMaxOfGroup = 255;

class Walk {
 public:
  explicit Walk(const std::string& regex) : in_(regex) {}

  std::string run() {
    alternatives(0);
    if (at_ < in_.size()) refuse("unbalanced ')'", "escape it: \\)");
    return out_;
  }

 private:
  [[noreturn]] void refuse(const std::string& cause, const std::string& remedy) const {
    throw Error(ErrorKind::Config, "pattern '" + in_ + "'", cause, remedy);
  }

  bool more() const { return at_ < in_.size(); }

  // Returns whether what it walked over can match a line end.
  bool alternatives(int depth) {
    if (depth > 50) refuse("groups nested more than 50 deep", "write it simpler");
    bool crosses = false;
    while (more() && in_[at_] != ')') {
      const std::size_t begin = out_.size();
      const bool group = in_[at_] == '(';
      const bool atom_crosses = atom(depth);
      crosses |= atom_crosses;
      repeat(begin, group, atom_crosses);
    }
    return crosses;
  }

  bool atom(int depth) {
    const char c = in_[at_];
    if (c == '(') return group(depth);
    if (c == '[') return character_class();
    if (c == '\\') return escape();
    out_ += in_[at_++];
    return c == '\n' || c == '\r';
  }

  bool group(int depth) {
    out_ += in_[at_++];
    if (more() && in_[at_] == '?') {
      const auto end = in_.find_first_of(":)=!<>|", at_ + 1);
      const auto flags = in_.substr(at_ + 1, end == std::string::npos ? 0 : end - at_ - 1);
      if (flags.find_first_of("sx") != std::string::npos && flags.find_first_not_of("imsxnJU-") == std::string::npos)
        refuse("the flags s and x are not allowed: '.' ends at its line", "name what may follow, or use several patterns");
    }
    const bool crosses = alternatives(depth + 1);
    if (!more()) refuse("a group is not closed", "add ')'");
    out_ += in_[at_++];
    return crosses;
  }

  bool escape() {
    out_ += in_[at_++];
    if (!more()) refuse("ends with a single '\\'", "write '\\\\' for a backslash");
    const char c = in_[at_];
    if (c == 'Q' || c == 'C' || c == 'X')
      refuse(std::string("\\") + c + " is not allowed", "escape each character, or use a literal pattern");
    out_ += in_[at_++];
    if (c == 'x' || c == 'u' || c == 'o' || c == 'c') return true;  // might be a line end: judged so
    return std::string("nrsvRDWHN").find(c) != std::string::npos && c != 'N';
  }

  bool character_class() {
    const std::size_t begin = at_;
    out_ += in_[at_++];
    const bool negated = more() && in_[at_] == '^';
    if (negated) out_ += in_[at_++];
    bool names_line_end = false, wide = false, first = true;
    while (more() && (in_[at_] != ']' || first)) {
      first = false;
      if (in_[at_] == '\\' && at_ + 1 < in_.size()) {
        names_line_end |= in_[at_ + 1] == 'n';
        wide |= std::string("srvRDSWHxc").find(in_[at_ + 1]) != std::string::npos;
        out_ += in_[at_++];
      }
      // A named class: its own ']' does not end this one.
      const auto end = in_.compare(at_, 2, "[:") == 0 ? in_.find(":]", at_ + 2) : std::string::npos;
      if (end != std::string::npos) {
        wide |= in_.compare(at_, 9, "[:space:]") == 0 || in_.compare(at_, 3, "[:^") == 0 || in_.compare(at_, 9, "[:cntrl:]") == 0;
        out_ += in_.substr(at_, end + 2 - at_);
        at_ = end + 2;
        continue;
      }
      out_ += in_[at_++];
    }
    if (!more()) refuse("a character class is not closed: '" + in_.substr(begin) + "'", "add ']'");
    out_ += in_[at_++];
    return negated ? !names_line_end : names_line_end || wide;
  }

  // A repeat of what was just written: unbounded ones get a bound, or are refused where they could run over lines.
  void repeat(std::size_t begin, bool group, bool crosses) {
    if (!more()) return;
    const auto [low, unbounded, length] = read_repeat();
    if (length == 0) return;
    if (unbounded && crosses)
      refuse("'" + out_.substr(begin) + in_.substr(at_, length) + "' can cross lines without bound",
             "exclude line ends ([^\\n]*, [ \\t]*), or give a bound: {0,80}");
    if (unbounded)
      out_ += "{" + std::to_string(low) + "," + std::to_string(std::max(low, group ? kMaxOfGroup : kMaxOfCharacter)) + "}";
    else
      out_ += in_.substr(at_, length);
    at_ += length;
    if (more() && (in_[at_] == '?' || in_[at_] == '+')) out_ += in_[at_++];
  }

  struct Repeat {
    int low;
    bool unbounded;
    std::size_t length;  // 0: no repeat here
  };
  Repeat read_repeat() const {
    const char c = in_[at_];
    if (c == '*') return {0, true, 1};
    if (c == '+') return {1, true, 1};
    if (c == '?') return {0, false, 1};
    if (c != '{') return {0, false, 0};
    std::size_t i = at_ + 1;
    int low = 0;
    const std::size_t digits = i;
    while (i < in_.size() && std::isdigit(static_cast<unsigned char>(in_[i])) != 0) low = std::min(low * 10 + (in_[i++] - '0'), 100000);
    if (i == digits || i >= in_.size()) return {0, false, 0};  // a literal '{'
    if (in_[i] == '}') return {low, false, i + 1 - at_};
    if (in_[i] == ',' && i + 1 < in_.size() && in_[i + 1] == '}') return {low, true, i + 2 - at_};
    const auto end = in_.find('}', i);
    return end == std::string::npos ? Repeat{0, false, 0} : Repeat{low, false, end + 1 - at_};
  }

  const std::string& in_;
  std::string out_;
  std::size_t at_ = 0;
};

}  // namespace

std::string bounded_regex(const std::string& regex) {
  if (regex.find('\0') != std::string::npos)
    throw Error(ErrorKind::Config, "pattern", "has a NUL in it: what follows would not be looked for", "write \\x00");
  return Walk(regex).run();
}

}  // namespace hilcop
