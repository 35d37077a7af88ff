// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// The head of a request or a response, RFC 9112; names are in lower case. SSDP has the same.
struct HttpHead {
  std::string start;  // the first line
  std::vector<std::pair<std::string, std::string>> fields;
  /// Values of all fields of that name, joined by ", "; empty: none.
  std::string value(std::string_view name) const;
};
/// Nothing where it is none: a first line, then "name: value" up to an empty line.
std::optional<HttpHead> parse_http_head(std::string_view text);

struct HttpMessage {
  Seen seen;  // its head
  bool request = false;
  std::string method, target, host, agent;  // of a request; printable
  std::uint16_t status = 0;                 // of a response
  std::string content_type, content_encoding, server;
  bool chunked = false, complete = false;  // complete: its body too, as far as it says where that ends
  std::uint64_t body_size = 0;             // without chunks, as packed as it came
  std::string body_begin;                  // its first bytes, raw: without chunks and unpacked
};

struct BasicCredential {
  std::string user, password;
};
/// Of an Authorization field (RFC 7617).
std::optional<BasicCredential> basic_credential(std::string_view field);
std::optional<std::string> decoded_base64(std::string_view text);

/// Both sides of a connection. A body's bytes go to the context without chunks where it had them, or where it is packed without a head.
class HttpStream final : public StreamDissector {
 public:
  explicit HttpStream(StreamContext& context) : context_(context) {}
  void data(Side side, Bytes bytes, std::uint64_t offset) override;
  void gap(Side side) override;
  void end() override;

 private:
  enum class State { Head, Body, ToTheEnd, ChunkSize, Chunk, ChunkEnd, Trailer, Lost, Tunnel };
  struct Half {
    State state = State::Head;
    std::string line;  // of the head or of a chunk's size, as far as it has come
    std::uint64_t line_begin = 0, left = 0;
    bool body_begins = false, deflated = false;
    std::optional<HttpMessage> message;
    std::string body;  // its begin, packed
  };
  std::size_t take(Side side, Bytes bytes, std::uint64_t offset);
  std::size_t take_line(Half& half, Side side, Bytes bytes, std::uint64_t offset);
  void head(Half& half, Side side, std::uint64_t end);
  void request(Half& half, const HttpHead& head, const Seen& seen);
  void body_follows(Half& half, const HttpHead& head, bool response_without);
  void body(Half& half, Side side, Bytes bytes, std::uint64_t offset);
  void chunk_line(Half& half);
  void message_ends(Half& half, bool complete);
  void lost(Half& half);

  StreamContext& context_;
  Half halves_[2];
  std::deque<std::string> methods_;  // of requests that wait for their responses
};

}  // namespace hilcop::analysis
