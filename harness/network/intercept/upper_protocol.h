// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace hilcop {

/// Says what a client wants to hear, so that it goes on to send what it has: HTTP/1.1 (a status without a body, and "100 Continue"), MQTT
/// 3.1 to 5 (CONNACK, PUBACK, PUBREC, PUBCOMP, SUBACK, UNSUBACK, PINGRESP). To all else it says nothing.
class UpperProtocol {
 public:
  explicit UpperProtocol(int http_status) : http_status_(http_status) {}
  /// To what has come since the last call, in pieces of any size.
  std::string answer(std::string_view bytes);

 private:
  enum class Kind { Unknown, HttpHead, HttpBody, HttpChunks, Mqtt, Other };
  bool step(std::string& out);
  bool http_head(std::string& out);
  bool mqtt_packet(std::string& out);
  std::string http_answer();

  int http_status_;
  Kind kind_ = Kind::Unknown;
  std::string heard_;  // what no answer was found to so far; as much as comes, which the interceptor bounds
  std::uint64_t body_left_ = 0;
  bool mqtt5_ = false;
};

}  // namespace hilcop
