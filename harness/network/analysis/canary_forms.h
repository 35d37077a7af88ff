// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "network/analysis/bytes.h"

struct hs_database;
struct hs_scratch;

namespace hilcop::analysis {

/// A secret that a bench has planted: its own bytes, 8 at least (fewer occur by chance). Two must not be the same.
struct Canary {
  static constexpr std::size_t kLeast = 8, kMost = 1024;
  std::string name, bytes;
};

enum class CanaryForm : std::uint8_t {
  Raw,
  Reversed,
  Base64,     // in any alignment, of either alphabet: those characters that it alone makes
  Hex,        // of either case
  HexColons,  // aa:bb
  Url,        // percent-encoded: what RFC 3986, encodeURI, encodeURIComponent or a form leaves as it is; or all of it
  Utf16Le,    // without the zero at either end; where both orders are possible it is called this one
  Utf16Be,
};
std::string_view name_of(CanaryForm form);

/// All canaries in all forms, compiled. Immutable but for its scratch memory: for one thread.
class CanaryDatabase {
 public:
  /// Throws Error{Config}: a canary is too short or too long, or two are the same.
  explicit CanaryDatabase(std::vector<Canary> canaries);
  ~CanaryDatabase();
  CanaryDatabase(const CanaryDatabase&) = delete;
  CanaryDatabase& operator=(const CanaryDatabase&) = delete;

  struct Hit {
    std::uint32_t canary = 0;
    CanaryForm form = CanaryForm::Raw;
    std::size_t begin = 0, end = 0;
    bool operator==(const Hit&) const = default;
  };
  /// Every place in `bytes` where one stands, wholly within. Adds to `hits`, in the order of their ends. Throws Error{Exhausted}.
  void scan(Bytes bytes, std::vector<Hit>& hits) const;
  /// Of any form of any canary.
  std::size_t longest() const { return longest_; }
  const std::vector<Canary>& canaries() const { return canaries_; }

 private:
  struct Literal {
    std::uint32_t canary;
    CanaryForm form;
    std::string text;
    std::size_t zeros;  // at its begin, which the matcher does not take
    bool any_case;
  };
  void add_forms(std::uint32_t canary);
  void add(std::uint32_t canary, CanaryForm form, std::string text, bool any_case = false);
  void compile();

  std::vector<Canary> canaries_;
  std::vector<Literal> literals_;
  std::size_t longest_ = 0;
  hs_database* database_ = nullptr;
  hs_scratch* scratch_ = nullptr;
};

}  // namespace hilcop::analysis
