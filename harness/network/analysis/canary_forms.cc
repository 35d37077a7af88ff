// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/canary_forms.h"

#include <hs/hs.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"

namespace hilcop::analysis {
namespace {

constexpr std::string_view kUnreserved = "-._~";             // RFC 3986 2.3
constexpr std::string_view kComponent = "-_.!~*'()";         // encodeURIComponent
constexpr std::string_view kWhole = "-_.!~*'();,/?:@&=+$#";  // encodeURI
constexpr std::string_view kForm = "*-._";                   // application/x-www-form-urlencoded
constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool alphanumeric(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

std::string hex_of(std::string_view bytes, std::string_view separator, const char* digits) {
  std::string hex;
  for (const unsigned char c : bytes) {
    if (!hex.empty()) hex += separator;
    hex += {digits[c >> 4], digits[c & 15]};
  }
  return hex;
}

// nullptr as `safe`: every byte is encoded.
std::string url_of(std::string_view bytes, const std::string_view* safe, bool plus, const char* digits) {
  std::string url;
  for (const unsigned char c : bytes) {
    if (plus && c == ' ')
      url += '+';
    else if (safe != nullptr && (alphanumeric(c) || safe->find(static_cast<char>(c)) != std::string_view::npos))
      url += static_cast<char>(c);
    else
      url += {'%', digits[c >> 4], digits[c & 15]};
  }
  return url;
}

// The characters that these bytes alone make, `before` bytes after the begin of a group of three.
std::string base64_core(std::string_view bytes, std::size_t before) {
  const std::size_t first = before * 8, last = first + bytes.size() * 8;  // bits
  std::string text;
  for (std::size_t bit = (first + 5) / 6 * 6; bit + 6 <= last; bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i)
      value = value << 1 | (static_cast<unsigned char>(bytes[(i - first) / 8]) >> (7 - (i - first) % 8) & 1u);
    text += kStandard[value];
  }
  return text;
}

}  // namespace

std::string_view name_of(CanaryForm form) {
  constexpr std::string_view kNames[] = {"raw", "reversed", "base64", "hex", "hex with colons", "url", "utf-16le", "utf-16be"};
  return kNames[static_cast<std::size_t>(form)];
}

CanaryDatabase::CanaryDatabase(std::vector<Canary> canaries) : canaries_(std::move(canaries)) {
  std::set<std::string> names, secrets;
  for (std::uint32_t i = 0; i < canaries_.size(); ++i) {
    const auto& [name, bytes] = canaries_[i];
    const auto object = "canary '" + name + "'";
    if (bytes.size() < Canary::kLeast || bytes.size() > Canary::kMost)
      throw Error(ErrorKind::Config, object, "has " + std::to_string(bytes.size()) + " bytes",
                  "give it 8 to 1024: fewer are found by chance");
    if (bytes.find_first_not_of('\0') == std::string::npos) throw Error(ErrorKind::Config, object, "is nothing but zeros", "plant another");
    if (!names.insert(name).second || !secrets.insert(bytes).second)
      throw Error(ErrorKind::Config, object, "is there twice", "give each a name and bytes of its own");
    add_forms(i);
  }
  if (!literals_.empty()) compile();
}

CanaryDatabase::~CanaryDatabase() {
  hs_free_scratch(scratch_);
  hs_free_database(database_);
}

void CanaryDatabase::add_forms(std::uint32_t canary) {
  constexpr auto kLower = "0123456789abcdef", kUpper = "0123456789ABCDEF";
  const std::string_view bytes = canaries_[canary].bytes;
  add(canary, CanaryForm::Raw, std::string(bytes));
  add(canary, CanaryForm::Reversed, std::string(bytes.rbegin(), bytes.rend()));
  for (std::size_t before = 0; before < 3; ++before) {
    auto text = base64_core(bytes, before);
    add(canary, CanaryForm::Base64, text);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    add(canary, CanaryForm::Base64, text);
  }
  add(canary, CanaryForm::Hex, hex_of(bytes, "", kLower), true);
  add(canary, CanaryForm::HexColons, hex_of(bytes, ":", kLower), true);
  for (const auto* digits : {kLower, kUpper}) {
    for (const auto* safe : {&kUnreserved, &kComponent, &kWhole, &kForm})
      for (const bool plus : {false, true}) add(canary, CanaryForm::Url, url_of(bytes, safe, plus, digits));
    add(canary, CanaryForm::Url, url_of(bytes, nullptr, false, digits));
  }
  // Without the zero at its end, which both orders have in common but for where it stands: scan() looks for that.
  std::string wide;
  for (const char c : bytes) wide += {c, '\0'};
  wide.pop_back();
  add(canary, CanaryForm::Utf16Le, wide);
}

void CanaryDatabase::add(std::uint32_t canary, CanaryForm form, std::string text, bool any_case) {
  for (auto there = literals_.rbegin(); there != literals_.rend() && there->canary == canary; ++there)
    if (there->text == text && there->any_case == any_case) return;
  longest_ = std::max(longest_, text.size() + 2);
  const auto zeros = text.find_first_not_of('\0');
  literals_.push_back({canary, form, std::move(text), zeros, any_case});
}

void CanaryDatabase::compile() {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  std::vector<unsigned> flags, ids;
  for (const auto& literal : literals_) {
    texts.push_back(literal.text.data() + literal.zeros);
    sizes.push_back(literal.text.size() - literal.zeros);
    flags.push_back(literal.any_case ? HS_FLAG_CASELESS : 0u);
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), sizes.data(), static_cast<unsigned>(texts.size()), HS_MODE_BLOCK,
                           nullptr, &database_, &error) != HS_SUCCESS) {
    const std::string cause = error->message;
    hs_free_compile_error(error);
    throw Error(ErrorKind::Exhausted, "canaries", "cannot be compiled: " + cause, "search for fewer at a time");
  }
  if (hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS) throw Error(ErrorKind::Exhausted, "canaries", "no memory for the matcher");
}

void CanaryDatabase::scan(Bytes bytes, std::vector<Hit>& hits) const {
  if (database_ == nullptr || bytes.empty()) return;
  struct Search {
    const CanaryDatabase& database;
    std::string_view text;
    std::vector<Hit>& hits;
  } search{*this, chars_of(bytes), hits};
  const auto note = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
    const auto& [database, text, found] = *static_cast<Search*>(context);
    const auto& literal = database.literals_[id];
    if (to < literal.text.size()) return 0;
    Hit hit{literal.canary, literal.form, to - literal.text.size(), to};
    for (std::size_t i = 0; i < literal.zeros; ++i)
      if (text[hit.begin + i] != '\0') return 0;
    if (hit.form == CanaryForm::Utf16Le) {
      const bool zero_after = to < text.size() && text[to] == '\0', zero_before = hit.begin != 0 && text[hit.begin - 1] == '\0';
      if (zero_before && !zero_after) hit.form = CanaryForm::Utf16Be;
    }
    found.push_back(hit);
    return 0;
  };
  if (hs_scan(database_, search.text.data(), static_cast<unsigned>(bytes.size()), 0, scratch_, note, &search) != HS_SUCCESS)
    throw Error(ErrorKind::Exhausted, "canaries", "the matcher failed: what was captured is not searched");
}

}  // namespace hilcop::analysis
