// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "network/analysis/canary_forms.h"
#include "network/analysis/frame.h"
#include "network/analysis/inflater.h"
#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// A canary that was found. `places` are its bytes; of what was packed, those of the packed bytes up to where it came out.
struct CanaryFinding {
  std::string canary;
  CanaryForm form = CanaryForm::Raw;
  std::vector<std::string> within;  // outermost first: "frame", "datagram" or "stream"; then "chunked", "gzip", "zlib", "deflate"
  Seen seen;                        // from whom to whom; its flow is kNoFlow where the frame has none
};

/// Searches a capture for canaries: in every frame as it is, padding and all; across the borders of segments, fragments and chunks;
/// and in what is packed by gzip or zlib wherever a head of it stands in a stream or a datagram. Bounded: of one canary in one form
/// kMostOfOne findings are kept, the rest is counted; what is unpacked is kUnpackedOfOne bytes of one body and of all in proportion to
/// what was read. Whatever was not searched for such a reason is in limits(), so that nobody takes it for clean.
class CanarySearch {
 public:
  static constexpr std::size_t kMostOfOne = 1000, kMostUnpacking = 256;
  static constexpr std::uint64_t kUnpackedOfOne = 32u << 20, kUnpackedOfAll = 64u << 20, kUnpackedOfByte = 16;

  /// Throws Error{Config} for canaries that cannot be searched for.
  explicit CanarySearch(std::vector<Canary> canaries) : database_(std::move(canaries)) {}

  bool idle() const { return database_.canaries().empty(); }
  /// A whole frame; `seen` has flow and ends, and no places.
  void frame(const Frame& frame, const Seen& seen);

  const std::vector<CanaryFinding>& findings() const { return findings_; }
  std::uint64_t not_kept() const { return not_kept_; }
  /// Why something was not searched -> how often.
  const std::map<std::string, std::uint64_t>& limits() const { return limits_; }
  const std::vector<Canary>& canaries() const { return database_.canaries(); }
  /// Something was not searched.
  void limit(const char* why) { ++limits_[why]; }

 private:
  friend class CanaryStream;
  void found(const CanaryDatabase::Hit& hit, const std::vector<std::string>& within, Seen seen);
  std::unique_ptr<Inflater> inflater(Packing packing);

  CanaryDatabase database_;
  std::vector<CanaryFinding> findings_;
  std::map<std::pair<std::uint32_t, CanaryForm>, std::uint64_t> counts_;
  std::map<std::string, std::uint64_t> limits_;
  std::vector<CanaryDatabase::Hit> hits_;
  std::vector<std::byte> out_ = std::vector<std::byte>(64u << 10);
  std::vector<std::unique_ptr<Inflater>> idle_;
  std::uint64_t not_kept_ = 0, read_ = 0, unpacked_ = 0;
  std::size_t unpacking_ = 0;
};

/// One sequence of bytes that belong together: a side of a connection, a datagram, a body. Lives no longer than its search.
class CanaryStream {
 public:
  /// Who, when and where, of the bytes [begin, end) of this sequence.
  using Where = std::function<Seen(std::uint64_t begin, std::uint64_t end)>;
  CanaryStream(CanarySearch& search, std::vector<std::string> within, Where where, int depth = 0);
  ~CanaryStream();
  CanaryStream(const CanaryStream&) = delete;
  CanaryStream& operator=(const CanaryStream&) = delete;

  /// Whether anything may be packed in these: where not, a sequence of one piece that stands in a frame needs no search of its own.
  static bool has_head(Bytes bytes);

  /// The next bytes. `in_frame`: they stand in a frame as they are, and are searched there; here only what crosses their begin is.
  void add(Bytes bytes, bool in_frame);
  /// What follows is packed by deflate without a head.
  void deflated() { begin_unpacking(Packing::Deflate, offset_, {}); }
  /// Bytes are missing here: nothing is found across it.
  void gap(std::uint64_t bytes);

 private:
  struct Unpacking;
  void search(Bytes bytes, bool in_frame);
  void report(std::string_view text, std::uint64_t begin, std::size_t border);
  void heads(Bytes bytes);
  void head_at(Bytes bytes, std::size_t at, std::string_view before);
  void begin_unpacking(Packing packing, std::uint64_t begin, Bytes bytes);
  /// False: it is over.
  bool unpack(Unpacking& unpacking, Bytes bytes);
  void drop(Unpacking& unpacking);

  CanarySearch& search_;
  std::vector<std::string> within_;
  Where where_;
  int depth_;
  std::uint64_t offset_ = 0;
  bool begun_ = false;
  std::string tail_;  // the last bytes, one fewer than the longest form has
  std::vector<std::unique_ptr<Unpacking>> unpacking_;
};

}  // namespace hilcop::analysis
