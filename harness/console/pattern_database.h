// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "console/console.h"

struct hs_database;
struct hs_stream;

namespace hilcop {

/// The patterns of some watchers compiled for Vectorscan: immutable, shared by every console with the same watchers.
class PatternDatabase {
 public:
  /// Compiles (milliseconds), or finds what is compiled already. nullptr: there are no watchers. Throws Error{Config} naming
  /// the watcher, Error{Exhausted}.
  static std::shared_ptr<const PatternDatabase> get(const std::vector<Watcher>& watchers);
  ~PatternDatabase();
  PatternDatabase(const PatternDatabase&) = delete;
  PatternDatabase& operator=(const PatternDatabase&) = delete;

  /// One place in one stream; a few hundred bytes.
  class Stream {
   public:
    explicit Stream(std::shared_ptr<const PatternDatabase> database);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    struct Candidate {
      unsigned watcher;
      std::uint64_t end;
    };
    /// Where matches may end in the bytes that follow those scanned before.
    void scan(std::string_view fresh, std::vector<Candidate>& found);

   private:
    std::shared_ptr<const PatternDatabase> database_;
    hs_stream* stream_ = nullptr;
  };

 private:
  explicit PatternDatabase(const std::vector<Watcher>& watchers);

  hs_database* database_ = nullptr;
  std::uint64_t id_ = 0;  // of this process, never used again
};

}  // namespace hilcop
