// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace hilcop {

/// Says what a client wants to hear, so that it goes on to send what it has: HTTP/1.1 (a status without a body, and "100 Continue"), MQTT
/// 3.1 to 5 (CONNACK, PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK, PINGRESP). To all else it says nothing.
class UpperProtocol {
 public:
  /// What stands at a path of HTTP ("/a.crl"); empty: nothing, and the status alone is said.
  using FileAt = std::function<std::string(std::string_view path)>;
  explicit UpperProtocol(int http_status, FileAt file_at = {}) : http_status_(http_status), file_at_(std::move(file_at)) {}
  /// To what has come since the last call, in pieces of any size.
  std::string answer(std::string_view bytes);

 private:
  enum class Kind { Unknown, HttpHead, HttpBody, HttpChunks, Mqtt, Other };
  bool step(std::string& out);
  bool http_head(std::string& out);
  bool mqtt_packet(std::string& out);
  std::string http_answer();

  int http_status_;
  FileAt file_at_;
  std::string got_;  // the path of a GET
  Kind kind_ = Kind::Unknown;
  std::string heard_;  // what no answer was found to so far; as much as comes, which the interceptor bounds
  std::uint64_t body_left_ = 0;
  bool mqtt5_ = false;
};

}  // namespace hilcop
