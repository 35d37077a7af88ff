// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/tls_stream.h"

#include <algorithm>

#include "network/analysis/observations.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint8_t kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kHeartbeat = 24;
constexpr std::uint8_t kClientHello = 1, kServerHello = 2, kCertificate = 11;
constexpr std::size_t kRecordHead = 5, kLongestRecord = (1u << 14) + 2048, kLongestHandshake = 256u << 10, kMostCertificates = 16;

}  // namespace

void TlsStream::data(Side side, Bytes bytes, std::uint64_t offset) {
  auto& half = halves_[index_of(side)];
  while (!bytes.empty()) {
    if (half.lost) return context_.opaque(bytes.size());
    if (half.head.size() < kRecordHead) {
      if (half.head.empty()) half.record_begin = offset;
      const auto part = std::min(bytes.size(), kRecordHead - half.head.size());
      half.head += chars_of(bytes.first(part));
      bytes = bytes.subspan(part);
      offset += part;
      if (half.head.size() < kRecordHead) return;
      Cursor in(bytes_of_text(half.head));
      const auto type = in.u8(), major = in.u8();
      in.u8();
      half.left = in.u16();
      half.record.clear();
      if (type < kChangeCipherSpec || type > kHeartbeat || major != 3 || half.left > kLongestRecord) {
        ++context_.observations().malformed["tls"];
        half.lost = true;
        continue;
      }
    }
    const auto part = std::min(bytes.size(), half.left);
    const auto type = static_cast<std::uint8_t>(half.head[0]);
    const bool plain = !half.encrypted && (type == kHandshake || type == kAlert || type == kChangeCipherSpec);
    if (plain)
      half.record += chars_of(bytes.first(part));
    else
      context_.opaque(part);
    half.left -= part;
    bytes = bytes.subspan(part);
    offset += part;
    if (half.left == 0) {
      if (plain) record(half, side, offset);
      half.head.clear();
    }
  }
}

void TlsStream::record(Half& half, Side side, std::uint64_t end) {
  const auto type = static_cast<std::uint8_t>(half.head[0]);
  if (type == kChangeCipherSpec) {
    half.encrypted = true;
  } else if (type == kAlert) {
    if (half.record.size() != 2) return;  // encrypted in TLS 1.3
    context_.observations().add(TlsAlert{context_.seen(side, half.record_begin, end), static_cast<std::uint8_t>(half.record[0]),
                                         static_cast<std::uint8_t>(half.record[1])});
  } else {
    handshake(half, side, end);
  }
}

void TlsStream::handshake(Half& half, Side side, std::uint64_t end) {
  if (half.handshake.empty()) half.handshake_begin = half.record_begin;
  half.handshake += half.record;
  std::size_t used = 0;
  for (;;) {
    Cursor in(bytes_of_text(std::string_view(half.handshake).substr(used)));
    const auto type = in.u8();
    const std::size_t length = in.u24();
    if (!in.ok()) break;
    if (length > kLongestHandshake) {
      ++context_.observations().malformed["tls"];
      half.encrypted = true;
      break;
    }
    if (in.left() < length) break;
    message(side, type, in.take(length), half.handshake_begin, end);
    used += 4 + length;
    half.handshake_begin = half.record_begin;
  }
  half.handshake.erase(0, used);
}

void TlsStream::message(Side side, std::uint8_t type, Bytes body, std::uint64_t begin, std::uint64_t end) {
  auto& observations = context_.observations();
  const auto keep = [&](auto parsed) {
    if (!parsed) {
      ++observations.malformed["tls"];
      return;
    }
    parsed->seen = context_.seen(side, begin, end);
    observations.add(std::move(*parsed));
  };
  if (type == kClientHello) keep(parse_client_hello(body));
  if (type == kServerHello) keep(parse_server_hello(body));
  if (type == kCertificate) certificates(side, body, begin, end);
}

// RFC 5246 7.4.2
void TlsStream::certificates(Side side, Bytes body, std::uint64_t begin, std::uint64_t end) {
  Cursor outer(body);
  Cursor in(outer.take(outer.u24()));
  TlsCertificates made;
  while (outer.ok() && in.ok() && in.left() != 0 && made.chain.size() < kMostCertificates) {
    const auto der = in.take(in.u24());
    const auto facts = in.ok() ? read_certificate(der) : std::nullopt;
    if (!facts) {
      ++context_.observations().malformed["certificate"];
      continue;
    }
    made.chain.push_back(*facts);
  }
  if (!outer.ok()) ++context_.observations().malformed["tls"];
  made.seen = context_.seen(side, begin, end);
  if (!made.chain.empty()) context_.observations().add(std::move(made));
}

void TlsStream::gap(Side side) {
  auto& half = halves_[index_of(side)];
  half.lost = true;  // where the next record begins nobody can say
  half.handshake.clear();
}

}  // namespace hilcop::analysis
