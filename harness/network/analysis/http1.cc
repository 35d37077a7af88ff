// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/http1.h"

#include <algorithm>
#include <charconv>

#include "network/analysis/inflater.h"
#include "network/analysis/observations.h"

namespace hilcop::analysis {
namespace {

constexpr std::size_t kLongestHead = 64u << 10, kLongestLine = 1024, kPackedBegin = 16u << 10, kBodyBegin = 4096, kMostWaiting = 1024;

std::optional<std::uint64_t> http_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (rest.find_first_not_of(" \t\r") != std::string_view::npos && rest[rest.find_first_not_of(" \t\r")] != ';') return std::nullopt;
  return value;
}

// Of these the canaries' search finds the heads; of deflate it is told.
bool is_unpacked_here(std::string_view encoding) {
  return encoding.empty() || encoding == "identity" || encoding == "gzip" || encoding == "x-gzip" || encoding == "deflate";
}

bool may_begin_http(Bytes bytes) {
  const auto text = chars_of(bytes);
  for (const std::string_view begin : {"HTTP/1.", "GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH "})
    if (text.starts_with(begin)) return true;
  return false;
}

}  // namespace

void HttpStream::data(Side side, Bytes bytes, std::uint64_t offset) {
  auto& half = halves_[index_of(side)];
  if (half.state == State::Lost && may_begin_http(bytes)) half.state = State::Head;
  while (!bytes.empty() && half.state != State::Lost) {
    const auto used = take(side, bytes, offset);
    bytes = bytes.subspan(used);
    offset += used;
  }
}

// How many bytes were used: all of them, or up to where the state changed. Each call uses one at least or changes the state.
std::size_t HttpStream::take(Side side, Bytes bytes, std::uint64_t offset) {
  auto& half = halves_[index_of(side)];
  switch (half.state) {
    case State::Head:
    case State::ChunkSize:
    case State::ChunkEnd:
    case State::Trailer:
      return take_line(half, side, bytes, offset);
    case State::Body:
    case State::Chunk: {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), half.left));
      body(half, side, bytes.first(part), offset);
      half.left -= part;
      if (half.left == 0 && half.state == State::Chunk)
        half.state = State::ChunkEnd;
      else if (half.left == 0)
        message_ends(half, true);
      return part;
    }
    case State::ToTheEnd:
      body(half, side, bytes, offset);
      return bytes.size();
    case State::Tunnel:  // frames of WebSocket are masked, and TLS may be within
      context_.opaque(bytes.size());
      return bytes.size();
    case State::Lost:
      break;
  }
  return bytes.size();
}

std::size_t HttpStream::take_line(Half& half, Side side, Bytes bytes, std::uint64_t offset) {
  if (half.line.empty()) half.line_begin = offset;
  const auto text = chars_of(bytes);
  const auto end = text.find('\n');
  const auto used = end == std::string_view::npos ? text.size() : end + 1;
  half.line += text.substr(0, used);
  const bool in_head = half.state == State::Head || half.state == State::Trailer;
  if (half.line.size() > (in_head ? kLongestHead : kLongestLine)) {
    lost(half);
    return used;
  }
  if (end == std::string_view::npos) return used;
  if (half.state == State::Head) {
    if (half.line == "\r\n" || half.line == "\n")
      half.line.clear();  // 2.2: an empty line before a request
    else if (half.line.ends_with("\n\r\n") || half.line.ends_with("\n\n"))
      head(half, side, offset + used);
  } else if (half.state == State::ChunkSize) {
    chunk_line(half);
  } else if (half.state == State::ChunkEnd) {
    if (half.line != "\r\n" && half.line != "\n") return lost(half), used;
    half.line.clear();
    half.state = State::ChunkSize;
  } else if (half.line == "\r\n" || half.line == "\n" || half.line.ends_with("\n\r\n") || half.line.ends_with("\n\n")) {
    message_ends(half, true);
  }
  return used;
}

void HttpStream::chunk_line(Half& half) {
  const auto size = http_number(std::string_view(half.line).substr(0, half.line.size() - 1), 16);
  half.line.clear();
  if (!size) return lost(half);
  half.left = *size;
  half.state = half.left == 0 ? State::Trailer : State::Chunk;
}

void HttpStream::head(Half& half, Side side, std::uint64_t end) {
  const auto parsed = parse_http_head(half.line);
  const auto begin = half.line_begin;
  half.line.clear();
  if (!parsed) return lost(half);
  auto& message = half.message.emplace();
  message.seen = context_.seen(side, begin, end);
  message.content_type = ascii_of(parsed->value("content-type"), 128);
  message.content_encoding = lower_case(ascii_of(parsed->value("content-encoding"), 64));
  if (parsed->start.starts_with("HTTP/1.")) {
    const auto status =
        http_number(std::string_view(parsed->start).substr(std::min<std::size_t>(9, parsed->start.size())).substr(0, 3), 10);
    if (!status || *status < 100 || *status > 999) return lost(half);
    message.status = static_cast<std::uint16_t>(*status);
    message.server = ascii_of(parsed->value("server"), 128);
    const bool informs = *status < 200 && *status != 101;
    const auto method = methods_.empty() ? std::string() : methods_.front();
    if (!methods_.empty() && !informs) methods_.pop_front();
    body_follows(half, *parsed, method == "HEAD" || informs || *status == 204 || *status == 304);
    if (*status == 101) context_.unsearched("HTTP that goes on as another protocol (the bytes of a WebSocket are masked)");
    if (*status == 101 || (method == "CONNECT" && *status / 100 == 2))  // another protocol begins
      for (auto& each : halves_) each.state = State::Tunnel;
  } else {
    request(half, *parsed, message.seen);
  }
}

void HttpStream::request(Half& half, const HttpHead& head, const Seen& seen) {
  auto& message = *half.message;
  const auto space = head.start.find(' '), version = head.start.rfind(" HTTP/1.");
  if (space == std::string::npos || version == std::string::npos || version < space) return lost(half);
  message.request = true;
  message.method = ascii_of(head.start.substr(0, space), 32);
  if (version > space) message.target = ascii_of(head.start.substr(space + 1, version - space - 1), 2048);
  message.host = ascii_of(head.value("host"), 256);
  message.agent = ascii_of(head.value("user-agent"), 256);
  for (const auto* name : {"authorization", "proxy-authorization"})
    if (const auto found = basic_credential(head.value(name)))
      context_.observations().add(Credential{seen, "http-basic", found->user, found->password});
  if (methods_.size() < kMostWaiting) methods_.push_back(message.method);
  body_follows(half, head, false);
}

// RFC 9112 6.3
void HttpStream::body_follows(Half& half, const HttpHead& head, bool response_without) {
  auto& message = *half.message;
  half.body.clear();
  half.body_begins = true;
  half.deflated = message.content_encoding == "deflate";
  const auto length = head.value("content-length");
  message.chunked = lower_case(head.value("transfer-encoding")).find("chunked") != std::string::npos;
  if (!response_without && !is_unpacked_here(message.content_encoding))
    context_.unsearched("bodies of HTTP that are packed in a way that is not unpacked");
  if (response_without) {
    message_ends(half, true);
  } else if (message.chunked) {
    half.state = State::ChunkSize;
  } else if (!length.empty()) {
    const auto size = http_number(std::string_view(length).substr(0, length.find(',')), 10);
    if (!size) return lost(half);
    half.left = *size;
    half.state = State::Body;
    if (half.left == 0) message_ends(half, true);
  } else if (message.request) {
    message_ends(half, true);
  } else {
    half.state = State::ToTheEnd;
  }
}

void HttpStream::body(Half& half, Side side, Bytes bytes, std::uint64_t offset) {
  if (half.message) {
    half.message->body_size += bytes.size();
    if (half.body.size() < kPackedBegin) half.body += chars_of(bytes.first(std::min(bytes.size(), kPackedBegin - half.body.size())));
    if (half.message->chunked || half.deflated) context_.body(side, bytes, offset, half.body_begins, half.deflated);
  }
  half.body_begins = false;
}

void HttpStream::message_ends(Half& half, bool complete) {
  half.state = State::Head;
  half.line.clear();
  if (!half.message) return;
  auto& message = *half.message;
  message.complete = complete;
  const auto packed = bytes_of_text(half.body);
  Packing packing{};
  if (!message.content_encoding.empty() && is_packed(packed, packing))
    half.body = unpacked(packed, packing, kBodyBegin);
  else if (half.deflated)
    half.body = unpacked(packed, Packing::Deflate, kBodyBegin);
  message.body_begin = half.body.substr(0, kBodyBegin);
  half.body.clear();
  context_.observations().add(std::move(message));
  half.message.reset();
}

void HttpStream::lost(Half& half) {
  ++context_.observations().malformed["http"];
  context_.unsearched("HTTP that is malformed: what is cut into chunks there is not put together");
  if (half.message && !half.message->method.empty()) message_ends(half, false);
  half.message.reset();
  half.line.clear();
  half.state = State::Lost;
}

void HttpStream::gap(Side side) {
  auto& half = halves_[index_of(side)];
  if (half.state == State::Tunnel) return;
  if (half.message) message_ends(half, false);
  half.line.clear();
  half.state = State::Lost;
  methods_.clear();
}

void HttpStream::end() {
  for (auto& half : halves_)
    if (half.message) message_ends(half, half.state == State::ToTheEnd);
}

}  // namespace hilcop::analysis
