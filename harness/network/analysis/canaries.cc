// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/canaries.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hilcop::analysis {
namespace {

constexpr int kDeepest = 3;  // packed within packed within packed
constexpr std::size_t kMostAtOnce = 8, kSurelyGzip = 256;
constexpr std::size_t kSurelyPacked = 16u << 10;  // a zlib head is two bytes: random ones now and then unpack to some hundreds

std::string packing_name(Packing packing) { return packing == Packing::Gzip ? "gzip" : packing == Packing::Zlib ? "zlib" : "deflate"; }

}  // namespace

void CanarySearch::frame(const Frame& frame, const Seen& seen) {
  read_ += frame.packet.bytes.size();
  hits_.clear();
  database_.scan(frame.packet.bytes, hits_);
  for (const auto& hit : hits_) {
    auto there = seen;
    there.places = {frame.place_of(frame.packet.bytes.subspan(hit.begin, hit.end - hit.begin))};
    found(hit, {"frame"}, std::move(there));
  }
}

void CanarySearch::found(const CanaryDatabase::Hit& hit, const std::vector<std::string>& within, Seen seen) {
  if (++counts_[{hit.canary, hit.form}] > kMostOfOne) {
    ++not_kept_;
    return;
  }
  findings_.push_back({database_.canaries()[hit.canary].name, hit.form, within, std::move(seen)});
}

std::unique_ptr<Inflater> CanarySearch::inflater(Packing packing) {
  if (idle_.empty()) return std::make_unique<Inflater>(packing);
  auto taken = std::move(idle_.back());
  idle_.pop_back();
  taken->reset(packing);
  return taken;
}

struct CanaryStream::Unpacking {
  std::unique_ptr<Inflater> inflater;
  Packing packing;
  std::uint64_t begin, now;  // in the packed sequence
  std::uint64_t made = 0;
  std::unique_ptr<CanaryStream> inner;
};

CanaryStream::CanaryStream(CanarySearch& search, std::vector<std::string> within, Where where, int depth)
    : search_(search), within_(std::move(within)), where_(std::move(where)), depth_(depth) {}

CanaryStream::~CanaryStream() {
  for (auto& unpacking : unpacking_) drop(*unpacking);
}

bool CanaryStream::has_head(Bytes bytes) {
  Packing packing{};
  if (is_packed(bytes, packing)) return true;
  const auto text = chars_of(bytes);
  for (const char first : {'\x1f', '\x78'})
    for (auto at = text.find(first); at != std::string_view::npos; at = text.find(first, at + 1))
      if (is_packed(bytes.subspan(at), packing)) return true;
  return false;
}

void CanaryStream::add(Bytes bytes, bool in_frame) {
  if (bytes.empty() || search_.idle()) return;
  search(bytes, in_frame);
  std::erase_if(unpacking_, [&](auto& unpacking) {
    if (unpack(*unpacking, bytes)) return false;
    drop(*unpacking);
    return true;
  });
  if (depth_ < kDeepest) heads(bytes);
  const auto keep = search_.database_.longest() - 1;
  if (bytes.size() >= keep) {
    tail_ = chars_of(bytes.last(keep));
  } else {
    if (tail_.size() + bytes.size() > keep) tail_.erase(0, tail_.size() + bytes.size() - keep);
    tail_ += chars_of(bytes);
  }
  offset_ += bytes.size();
  begun_ = true;
}

void CanaryStream::search(Bytes bytes, bool in_frame) {
  if (!in_frame) {
    const std::string_view text = chars_of(bytes);
    report(text, offset_, std::string_view::npos);
  }
  if (tail_.empty()) return;
  const auto border = tail_.size();
  std::string seam = tail_;
  seam += chars_of(bytes.first(std::min(bytes.size(), search_.database_.longest() - 1)));
  report(seam, offset_ - border, border);
}

// With a border only what stands on both sides of it: the rest is found elsewhere.
void CanaryStream::report(std::string_view text, std::uint64_t begin, std::size_t border) {
  search_.hits_.clear();
  search_.database_.scan(bytes_of_text(text), search_.hits_);
  for (const auto& hit : search_.hits_)
    if (border == std::string_view::npos || (hit.begin < border && hit.end > border))
      search_.found(hit, within_, where_(begin + hit.begin, begin + hit.end));
}

// A gzip head anywhere, of zlib heads the usual ones anywhere and the rest at a begin: they are but two bytes.
void CanaryStream::heads(Bytes bytes) {
  const auto text = chars_of(bytes);
  // One that stands across the begin of these bytes.
  for (std::size_t back = std::min<std::size_t>(2, tail_.size()); back != 0; --back) {
    std::string joint = tail_.substr(tail_.size() - back);
    joint += text.substr(0, 2);
    Packing packing{};
    if (joint[0] != '\x1f' && joint[0] != '\x78' && offset_ != 1) continue;
    if (!is_packed(bytes_of_text(joint), packing)) continue;
    if (packing == Packing::Zlib && back != 1) continue;  // it was whole before
    head_at(bytes, 0, std::string_view(joint).substr(0, back));
  }
  Packing packing{};
  if (!begun_ && is_packed(bytes, packing)) head_at(bytes, 0, {});
  for (const char first : {'\x1f', '\x78'}) {
    for (std::size_t at = begun_ ? 0 : 1; at < text.size();) {
      const auto* found = static_cast<const char*>(std::memchr(text.data() + at, first, text.size() - at));
      if (found == nullptr) break;
      at = static_cast<std::size_t>(found - text.data());
      if (is_packed(bytes.subspan(at), packing)) head_at(bytes, at, {});
      ++at;
    }
  }
}

void CanaryStream::head_at(Bytes bytes, std::size_t at, std::string_view before) {
  std::string head(before);
  head += chars_of(bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at)));
  Packing packing{};
  if (!is_packed(bytes_of_text(head), packing)) return;
  if (before.empty()) return begin_unpacking(packing, offset_ + at, bytes.subspan(at));
  std::string joined(before);
  joined += chars_of(bytes);
  begin_unpacking(packing, offset_ - before.size(), bytes_of_text(joined));
}

void CanaryStream::begin_unpacking(Packing packing, std::uint64_t begin, Bytes bytes) {
  if (search_.idle() || depth_ >= kDeepest) return;
  if (unpacking_.size() == kMostAtOnce || search_.unpacking_ == CanarySearch::kMostUnpacking)
    return search_.limit("more packed bodies at a time than are unpacked");
  auto made = std::make_unique<Unpacking>(Unpacking{search_.inflater(packing), packing, begin, begin, 0, nullptr});
  ++search_.unpacking_;
  if (bytes.empty() || unpack(*made, bytes))
    unpacking_.push_back(std::move(made));
  else
    drop(*made);
}

bool CanaryStream::unpack(Unpacking& unpacking, Bytes bytes) {
  // Its own piece of memory: what comes out may be packed itself.
  std::vector<std::byte> out;
  out.swap(search_.out_);
  if (out.empty()) out.resize(64u << 10);
  auto state = Inflater::State::More;
  for (;;) {
    std::size_t made = 0;
    const auto before = bytes.size();
    state = unpacking.inflater->step(bytes, out, made);
    unpacking.now += before - bytes.size();
    unpacking.made += made;
    search_.unpacked_ += made;
    if (made != 0) {
      if (!unpacking.inner) {
        auto within = within_;
        within.push_back(packing_name(unpacking.packing));
        unpacking.inner = std::make_unique<CanaryStream>(
            search_, std::move(within),
            [this, whole = &unpacking](std::uint64_t, std::uint64_t) { return where_(whole->begin, whole->now); }, depth_ + 1);
      }
      unpacking.inner->add(Bytes(out).first(made), false);
    }
    const bool too_much = unpacking.made > CanarySearch::kUnpackedOfOne ||
                          search_.unpacked_ > CanarySearch::kUnpackedOfAll + CanarySearch::kUnpackedOfByte * search_.read_;
    if (too_much) {
      search_.limit("packed bodies that are too large unpacked");
      state = Inflater::State::Broken;
      unpacking.made = 0;  // it has been told
    }
    if (state != Inflater::State::More || made == 0) break;
  }
  out.swap(search_.out_);
  const auto surely = unpacking.packing == Packing::Gzip ? kSurelyGzip : kSurelyPacked;
  if (state == Inflater::State::Broken && unpacking.made >= surely) search_.limit("packed bodies that break off");
  return state == Inflater::State::More;
}

void CanaryStream::drop(Unpacking& unpacking) {
  unpacking.inner.reset();
  search_.idle_.push_back(std::move(unpacking.inflater));
  --search_.unpacking_;
}

void CanaryStream::gap(std::uint64_t bytes) {
  for (auto& unpacking : unpacking_) drop(*unpacking);
  unpacking_.clear();
  tail_.clear();
  offset_ += bytes;
}

}  // namespace hilcop::analysis
