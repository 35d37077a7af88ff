// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "network/analysis/tcp_streams.h"

namespace hilcop::analysis {

inline constexpr std::uint32_t kNoFlow = 0xffffffff;

/// Where and when something was said, and by whom to whom.
struct Seen {
  UtcTime at;
  std::uint32_t flow = kNoFlow;  // index into the report's flows
  Endpoint from, to;
  std::vector<Place> places;
};

struct Observations;

/// What a dissector knows of the stream that it reads.
class StreamContext {
 public:
  virtual ~StreamContext() = default;
  /// Of the bytes [begin, end) of a side.
  virtual Seen seen(Side side, std::uint64_t begin, std::uint64_t end) const = 0;
  /// Where findings go.
  virtual Observations& observations() = 0;
  /// Bytes of a body as they were before they were cut into chunks or packed; `places` of them, first of its body with `begins`.
  virtual void body(Side side, Bytes bytes, std::uint64_t offset, bool begins, bool deflated) {
    (void)side, (void)bytes, (void)offset, (void)begins, (void)deflated;
  }
  /// So many bytes are encrypted: nobody can say what stands in them.
  virtual void opaque(std::uint64_t bytes) { (void)bytes; }
  /// Bytes follow that are in the plain and yet not as they were: for this reason a search of them may miss what they say.
  virtual void unsearched(const char* why) { (void)why; }
};

/// Reads one protocol off both sides of a connection, whatever is in it, within bounded memory. Never throws for what it reads; what it
/// cannot read it counts as malformed, and is silent until it finds a place to begin anew.
class StreamDissector {
 public:
  virtual ~StreamDissector() = default;
  /// In order for each side. `offset` of the first byte in its side's stream.
  virtual void data(Side side, Bytes bytes, std::uint64_t offset) = 0;
  virtual void gap(Side side) = 0;
  virtual void end() {}
};

inline std::size_t index_of(Side side) { return side == Side::Client ? 0 : 1; }

}  // namespace hilcop::analysis
