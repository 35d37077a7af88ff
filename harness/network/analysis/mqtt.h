// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// MQTT 3.1, 3.1.1 and 5.0: what is said of topics and connections.
struct MqttMessage {
  enum class Kind : std::uint8_t { Connect = 1, ConnectAck = 2, Publish = 3, Subscribe = 8 };
  Seen seen;
  Kind kind = Kind::Connect;
  std::uint8_t level = 0;                // of CONNECT: 3, 4 (3.1.1), 5
  std::uint8_t code = 0;                 // of CONNACK
  std::string client, user, will_topic;  // of CONNECT; printable
  bool has_password = false;
  std::vector<std::string> topics;  // of PUBLISH one; printable
  std::size_t payload = 0;          // of PUBLISH: bytes
};

class MqttStream final : public StreamDissector {
 public:
  explicit MqttStream(StreamContext& context) : context_(context) {}
  void data(Side side, Bytes bytes, std::uint64_t offset) override;
  void gap(Side side) override;

 private:
  struct Half {
    std::string held;           // of the packet that comes, as far as it is kept
    std::uint64_t begin = 0;    // of it
    std::uint64_t passing = 0;  // bytes of it that are not kept
    bool lost = false;
  };
  /// Of one packet whose first bytes are held. False: malformed.
  bool packet(Side side, std::uint8_t head, Bytes body, std::size_t length, std::uint64_t begin, std::uint64_t end);
  bool connect(Bytes body, MqttMessage& message, std::string& password);
  StreamContext& context_;
  Half halves_[2];
  std::uint8_t level_ = 4;
};

/// Whether a CONNECT packet stands at the begin.
bool is_mqtt(Bytes bytes);

}  // namespace hilcop::analysis
