// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "network/analysis/bytes.h"

namespace hilcop::analysis {

enum class Packing : std::uint8_t { Gzip, Zlib, Deflate };  // RFC 1952, RFC 1950, RFC 1951 without a head

/// Unpacks a stream piece by piece. About 40 KiB; nothing that the input says makes it larger.
class Inflater {
 public:
  enum class State { More, Done, Broken };

  explicit Inflater(Packing packing);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Begins anew, as if just made.
  void reset(Packing packing);
  /// Unpacks from the begin of `input`, which it takes away as far as it is used, into `out`, whose first `made` bytes are filled. To be
  /// called again as long as it is More and `made` is not 0.
  State step(Bytes& input, std::span<std::byte> out, std::size_t& made);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

/// Whether a gzip or a zlib head (one of any window) stands at the begin; of a zlib head there are two bytes alone, so it may be none.
bool is_packed(Bytes bytes, Packing& packing);

/// The first `most` bytes of what was packed.
std::string unpacked(Bytes input, Packing packing, std::size_t most);

}  // namespace hilcop::analysis
