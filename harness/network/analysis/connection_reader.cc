// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/connection_reader.h"

#include <utility>

#include "network/analysis/recognise.h"
#include "network/analysis/telnet_stream.h"

namespace hilcop::analysis {
namespace {

std::unique_ptr<StreamDissector> dissector_for(std::string_view application, StreamContext& context) {
  if (application == "tls") return std::make_unique<TlsStream>(context);
  if (application == "http") return std::make_unique<HttpStream>(context);
  if (application == "mqtt") return std::make_unique<MqttStream>(context);
  if (application == "telnet") return std::make_unique<TelnetStream>(context);
  if (application == "ftp") return std::make_unique<FtpStream>(context);
  if (application == "dns") return std::make_unique<DnsStream>(context);
  return nullptr;
}

}  // namespace

ConnectionReader::ConnectionReader(const TcpConnection& about, std::uint32_t flow, CaptureReport& report, std::vector<Flow>& flows,
                                   CanarySearch& search)
    : about_(about), flow_(flow), report_(report), flows_(flows), search_(search) {
  if (search.idle()) return;
  for (const auto side : {Side::Client, Side::Server})
    halves_[index_of(side)].canaries =
        std::make_unique<CanaryStream>(search, std::vector<std::string>{"stream"},
                                       [this, side](std::uint64_t begin, std::uint64_t end) { return seen(side, begin, end); });
}

Seen ConnectionReader::ends(Side side) const {
  const bool client = side == Side::Client;
  return {halves_[index_of(side)].at, flow_, client ? about_.client : about_.server, client ? about_.server : about_.client, {}};
}

Seen ConnectionReader::seen(Side side, std::uint64_t begin, std::uint64_t end) const {
  auto made = ends(side);
  made.places = halves_[index_of(side)].map.find(begin, end);
  return made;
}

void ConnectionReader::data(Side side, const StreamPiece& piece) {
  auto& half = halves_[index_of(side)];
  half.at = piece.at;
  half.map.add(piece.offset, piece.place);
  if (half.canaries) half.canaries->add(piece.bytes, true);
  if (!decided_)
    recognise(side, piece.bytes, piece.offset);
  else
    pass(side, piece.bytes, piece.offset);
}

void ConnectionReader::pass(Side side, Bytes bytes, std::uint64_t offset) {
  if (all_opaque_)
    opaque(bytes.size());
  else if (dissector_)
    dissector_->data(side, bytes, offset);
}

void ConnectionReader::recognise(Side side, Bytes bytes, std::uint64_t offset) {
  auto& first = halves_[index_of(side)].first;
  held_.push_back({side, offset, std::string(chars_of(bytes))});
  first += chars_of(bytes.first(std::min(bytes.size(), kMostToRecognise - first.size())));
  const auto found = recognise_stream(bytes_of_text(halves_[0].first), bytes_of_text(halves_[1].first), about_.server.port);
  if (!found.application.empty()) {
    dissect(found.application, found.by_content);
  } else if (first.size() == kMostToRecognise || held_.size() == kMostToRecognise) {
    dissect({});
  }
}

void ConnectionReader::dissect(std::string_view application, bool by_content) {
  decided_ = true;
  if (flow_ != kNoFlow && !held_.empty()) flows_[flow_].speaks(application, by_content);
  dissector_ = dissector_for(application, *this);
  all_opaque_ = application == "ssh";
  if (application == "http2") unsearched("HTTP/2 in the plain, whose heads are packed in a way that is not unpacked (HPACK)");
  for (const auto& piece : std::exchange(held_, {})) pass(piece.side, bytes_of_text(piece.bytes), piece.offset);
  for (auto& half : halves_) std::string().swap(half.first);
}

void ConnectionReader::gap(Side side, std::uint64_t offset, std::uint64_t bytes, GapReason reason) {
  auto& half = halves_[index_of(side)];
  report_.add(StreamGap{ends(side), offset, bytes, reason});
  if (flow_ != kNoFlow) flows_[flow_].gap_bytes += bytes;
  if (reason == GapReason::BeforeBegin || reason == GapReason::AfterEnd) return;
  if (half.canaries) half.canaries->gap(bytes);
  half.body.reset();
  // What it is can be told of what there is; a dissector learns of the gap in its place.
  if (!decided_) dissect({});
  if (dissector_) dissector_->gap(side);
}

void ConnectionReader::conflict(Side side, std::uint64_t offset, const Place& later) {
  auto seen_there = ends(side);
  seen_there.places = {later};
  report_.add(StreamConflict{std::move(seen_there), offset});
}

void ConnectionReader::body(Side side, Bytes bytes, std::uint64_t offset, bool begins, bool deflated) {
  if (search_.idle()) return;
  auto& half = halves_[index_of(side)];
  if (begins || !half.body) {
    half.body = std::make_unique<Body>();
    auto* body = half.body.get();
    body->canaries = std::make_unique<CanaryStream>(search_, std::vector<std::string>{"stream", "body"},
                                                    [this, side, body](std::uint64_t begin, std::uint64_t end) {
                                                      auto made = ends(side);
                                                      made.places = body->map.find(begin, end);
                                                      return made;
                                                    });
    if (deflated) body->canaries->deflated();
  }
  std::uint64_t at = half.body->size;
  for (const auto& place : half.map.find(offset, offset + bytes.size())) {
    half.body->map.add(at, place);
    at += place.size;
  }
  half.body->size += bytes.size();
  half.body->canaries->add(bytes, true);
}

void ConnectionReader::opaque(std::uint64_t bytes) {
  report_.opaque_bytes += bytes;
  if (flow_ != kNoFlow) flows_[flow_].opaque += bytes;
}

void ConnectionReader::end() {
  if (!decided_) dissect({});
  if (dissector_) dissector_->end();
  dissector_.reset();
  for (auto& half : halves_) half.canaries.reset(), half.body.reset();
}

}  // namespace hilcop::analysis
