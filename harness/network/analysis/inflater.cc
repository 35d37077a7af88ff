// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace hilcop::analysis {
namespace {

int window_bits(Packing packing) { return packing == Packing::Gzip ? 15 + 16 : packing == Packing::Zlib ? 15 : -15; }

}  // namespace

struct Inflater::Stream {
  z_stream z{};
};

Inflater::Inflater(Packing packing) : stream_(std::make_unique<Stream>()) {
  if (inflateInit2(&stream_->z, window_bits(packing)) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { inflateEnd(&stream_->z); }

void Inflater::reset(Packing packing) {
  if (inflateReset2(&stream_->z, window_bits(packing)) != Z_OK) throw std::bad_alloc();
}

Inflater::State Inflater::step(Bytes& input, std::span<std::byte> out, std::size_t& made) {
  auto& z = stream_->z;
  const auto offered = static_cast<uInt>(std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max()));
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));  // NOLINT: zlib reads alone
  z.avail_in = offered;
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  const int result = ::inflate(&z, Z_SYNC_FLUSH);
  input = input.subspan(offered - z.avail_in);
  made = out.size() - z.avail_out;
  if (result == Z_STREAM_END) return State::Done;
  return result == Z_OK || result == Z_BUF_ERROR ? State::More : State::Broken;
}

bool is_packed(Bytes bytes, Packing& packing) {
  if (bytes.size() < 2) return false;
  const auto first = static_cast<unsigned>(bytes[0]), second = static_cast<unsigned>(bytes[1]);
  if (first == 0x1f && second == 0x8b && bytes.size() >= 3 && bytes[2] == std::byte{8}) {
    packing = Packing::Gzip;
    return true;
  }
  packing = Packing::Zlib;
  return (first & 15) == 8 && first >> 4 <= 7 && (first << 8 | second) % 31 == 0 && (second & 0x20) == 0;
}

std::string unpacked(Bytes input, Packing packing, std::size_t most) {
  Inflater inflater(packing);
  std::string all(most, '\0');
  std::size_t filled = 0;
  while (filled < most) {
    std::size_t made = 0;
    const auto state = inflater.step(input, std::as_writable_bytes(std::span(all)).subspan(filled), made);
    filled += made;
    if (state != Inflater::State::More || made == 0) break;
  }
  all.resize(filled);
  return all;
}

}  // namespace hilcop::analysis
