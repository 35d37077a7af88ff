// SPDX-License-Identifier: Apache-2.0
#include "console/boot_noise.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "console/pattern.h"
#include "console/text.h"

namespace hilcop {
namespace {

using Compiled = std::shared_ptr<const CompiledPattern>;

struct Mask {
  const char* name;
  const char* regex;
  const char* unless = nullptr;  // a line that says so keeps it: there it is what the line is about
};

// A build's date tells one build from another.
constexpr const char* kBuild = R"((?i)\b(?:version|built|build|compiled|created|release)\b|U-Boot|\bBL\d|#\d+ (?:SMP|PREEMPT))";
// What somebody set, and did not measure.
constexpr const char* kSetting =
    R"((?i)\b(?:timeouts?|timer_margin|intervals?|periods?|limits?|expires?|heartbeat|every|within)\b|watchdog)";
constexpr const char* kIdentity =
    R"((?i)serial|uuid|guid|eui|wwn|\b(?:[a-z_]*id|[a-z_]*key|hash|sha\d*|digest|checksum|signature|fingerprint|commit)\b)";
constexpr const char* kUsb = R"((?i)\bvid\b|vendor)";

// In this order: what an earlier one masked is no more there for a later one.
constexpr Mask kMasks[] = {
    {"stamp", R"(\[ {0,12}\d{1,10}\.\d{6}\](?: ?\[ {0,9}[TC]\d{1,7}\])?)"},
    {"time",
     R"(\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2},? (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: [A-Z]{3,4}\b)?(?: (?:19|20)\d\d\b)?)",
     kBuild},
    {"time", R"(\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z\b| ?UTC\b| ?[+-]\d\d:?\d\d\b)?(?: \(\d{9,11}\))?)", kBuild},
    {"time", R"((?<![\w:.-])(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?(?![\w:]))", kBuild},
    {"audit", R"(\baudit\(\d{1,10}\.\d{3}:)"},
    {"pid", R"((?<=[\w)])\[\d{1,7}\](?=:))"},
    {"pid", R"(\bpid(?:=|: ?| )[1-9]\d{0,6}\b(?![.-]))", kUsb},
    {"address", R"(\b(?:0x)?ffff[0-9a-f]{12}\b)", kIdentity},
    {"address", R"(\b0x(?:7[ef][0-9a-f]{2}|5[56][0-9a-f]{2}|aaaa|ffff)[0-9a-f]{8}\b)", kIdentity},
    {"address", R"((?<![\w:.-])(?=\d{0,15}[a-f])[0-9a-f]{16}(?![\w:.-]))", kIdentity},
    {"rate", R"((?<![\w.:/-])\d{1,12}(?:\.\d{1,6})? ?(?:[KMGkmg]i?)?B/s\b)"},
    {"duration", R"((?<![\w.:/-])\d{1,12}(?:\.\d{1,9})? ?(?:ns|nsecs?|us|usecs?|ms|msecs?|s|secs?|seconds?)\b(?![/-]))", kSetting},
};

struct CompiledMask {
  std::string mask;
  Compiled pattern, unless;
};

std::string mask_of(const std::string& name) { return "\u2039" + name + "\u203a"; }

const std::vector<CompiledMask>& compiled_masks() {
  static const std::vector<CompiledMask> masks = [] {
    std::vector<CompiledMask> made;
    for (const auto& mask : kMasks)
      made.push_back({mask_of(mask.name), CompiledPattern::get(Pattern::regex(mask.regex)),
                      mask.unless == nullptr ? nullptr : CompiledPattern::get(Pattern::regex(mask.unless))});
    return made;
  }();
  return masks;
}

std::string masked(const std::string& text, const CompiledPattern& pattern, const std::string& mask) {
  std::string out;
  std::size_t from = 0;
  while (from < text.size()) {
    const auto search = pattern.search(text, from, true);
    if (!search.found) break;
    out.append(text, from, search.match.begin - from).append(mask);
    from = search.match.end;
  }
  return from == 0 ? text : out.append(text, from, std::string::npos);
}

std::string single_blanks(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

// Length of a control sequence "ESC [ parameters intermediates final" (ECMA-48 5.4) at the begin; 0: none.
std::size_t control_sequence(std::string_view s) {
  if (!s.starts_with("\x1b[")) return 0;
  std::size_t i = 2;
  while (i < s.size() && i < 34 && s[i] >= 0x20 && s[i] <= 0x3F) ++i;
  return i < s.size() && s[i] >= 0x40 && s[i] <= 0x7E ? i + 1 : 0;
}

}  // namespace

BootNoise::BootNoise(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {
  for (const auto& pattern : patterns_) check_boot_noise(pattern);
}

std::string BootNoise::normal(std::string_view text) const {
  const std::string whole(text);
  std::string out = whole;
  for (const auto& pattern : patterns_) out = masked(out, *CompiledPattern::get(Pattern::regex(pattern)), mask_of("noise"));
  if (std::any_of(out.begin(), out.end(), [](char c) { return c >= '0' && c <= '9'; }))
    for (const auto& mask : compiled_masks())
      if (mask.unless == nullptr || !mask.unless->search(whole, 0, true).found) out = masked(out, *mask.pattern, mask.mask);
  return single_blanks(out);
}

void check_boot_noise(const std::string& pattern) {
  const auto compiled = CompiledPattern::get(Pattern::regex(pattern));
  for (const std::string probe : {"hilcop planted this line", "planted: line 4711 [ok] -- (/QUX_)"})
    if (single_blanks(masked(probe, *compiled, "")).size() < 4)
      throw Error(ErrorKind::Config, "boot_noise '" + pattern + "'", "masks whole lines whatever they say: no line would ever be new",
                  "write what surrounds the noise, as in 'up=[0-9.]+'");
}

std::string boot_text(std::string_view bytes) {
  std::string kept;
  for (std::size_t i = 0; i < bytes.size();) {
    if (const auto sequence = control_sequence(bytes.substr(i)); sequence > 0) {
      i += sequence;
      continue;
    }
    if (bytes[i] == '\t')
      kept += ' ';
    else if (bytes[i] != '\r')
      kept += bytes[i];
    ++i;
  }
  while (kept.ends_with(' ')) kept.pop_back();
  return printable(kept, kept.size());
}

}  // namespace hilcop
