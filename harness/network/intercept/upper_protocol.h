// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hilcop {

/// What is said to a request of HTTP.
struct PlannedAnswer {
  int status = 200;
  std::string content_type, body;
};

/// Says what a client wants to hear, so that it goes on to send what it has: HTTP/1.1 (a status without a body, and "100 Continue"), MQTT
/// 3.1 to 5 (CONNACK, PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK, PINGRESP). To all else it says nothing.
class UpperProtocol {
 public:
  /// What is said to "GET", "/a.crl" (without what stands behind a '?'); nullopt: the status alone.
  using AnswerTo = std::function<std::optional<PlannedAnswer>(std::string_view method, std::string_view path)>;
  explicit UpperProtocol(int http_status, AnswerTo answer_to = {}) : http_status_(http_status), answer_to_(std::move(answer_to)) {}
  /// To what has come since the last call, in pieces of any size.
  std::string answer(std::string_view bytes);

 private:
  enum class Kind { Unknown, HttpHead, HttpBody, HttpChunks, Mqtt, Other };
  bool step(std::string& out);
  bool http_head(std::string& out);
  bool mqtt_packet(std::string& out);
  std::string http_answer();

  int http_status_;
  AnswerTo answer_to_;
  std::string method_, path_;  // of the request
  Kind kind_ = Kind::Unknown;
  std::string heard_;  // what no answer was found to so far; as much as comes, which the interceptor bounds
  std::uint64_t body_left_ = 0;
  bool mqtt5_ = false;
};

}  // namespace hilcop
