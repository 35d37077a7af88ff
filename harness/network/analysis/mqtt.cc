// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/mqtt.h"

#include <algorithm>
#include <optional>

#include "network/analysis/observations.h"

namespace hilcop::analysis {
namespace {

constexpr std::size_t kMostKept = 64u << 10, kMostTopics = 64;

// 1.5.5: seven bits a byte, four bytes at most. Nothing while it is not whole.
std::optional<std::uint32_t> variable_number(Cursor& in, bool& malformed) {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    const auto byte = in.u8();
    if (!in.ok()) return std::nullopt;
    value |= (byte & 127u) << shift;
    if ((byte & 128) == 0) return value;
  }
  malformed = true;
  return std::nullopt;
}

bool skip_properties(Cursor& in, std::uint8_t level) {
  if (level < 5) return true;
  bool malformed = false;
  const auto size = variable_number(in, malformed);
  if (size) in.skip(*size);
  return size && in.ok();
}

}  // namespace

bool is_mqtt(Bytes bytes) {
  Cursor in(bytes);
  bool malformed = false;
  if (in.u8() != 0x10 || !variable_number(in, malformed)) return false;
  const auto name = chars_of(in.take(in.u16()));
  return in.ok() && (name == "MQTT" || name == "MQIsdp");
}

void MqttStream::data(Side side, Bytes bytes, std::uint64_t offset) {
  auto& half = halves_[index_of(side)];
  while (!bytes.empty() && !half.lost) {
    const auto passed = static_cast<std::size_t>(std::min<std::uint64_t>(half.passing, bytes.size()));
    half.passing -= passed;
    bytes = bytes.subspan(passed);
    offset += passed;
    if (bytes.empty()) break;
    if (half.held.empty()) half.begin = offset;
    const auto room = std::min(bytes.size(), kMostKept + 8 - half.held.size());
    half.held += chars_of(bytes.first(room));
    bytes = bytes.subspan(room);
    offset += room;
    // As many packets as are whole, or longer than is kept of one.
    std::size_t used = 0;
    bool malformed = false;
    for (;;) {
      Cursor in(bytes_of_text(std::string_view(half.held).substr(used)));
      const auto head = in.u8();
      const auto length = variable_number(in, malformed);
      if (malformed || !length) break;
      const bool whole = in.left() >= *length;
      if (!whole && used + in.at() + in.left() < kMostKept + 8) break;
      if (!whole && used != 0) break;  // make room for as much of it as is kept
      const auto size = in.at() + *length, begin = half.begin + used;
      malformed = !packet(side, head, in.take(std::min<std::size_t>(*length, in.left())), *length, begin, begin + size);
      if (malformed) break;
      used += std::min(size, half.held.size() - used);
      half.passing = whole ? 0 : begin + size - offset;
      if (!whole) break;
    }
    half.held.erase(0, used);
    half.begin += used;
    if (malformed) {
      ++context_.observations().malformed["mqtt"];
      half.lost = true;
      half.held.clear();
    }
  }
}

bool MqttStream::packet(Side side, std::uint8_t head, Bytes body, std::size_t length, std::uint64_t begin, std::uint64_t end) {
  Cursor in(body);
  MqttMessage message;
  std::string password;
  switch (head >> 4) {
    case 1:
      if (!connect(body, message, password)) return false;
      break;
    case 2:
      message.kind = MqttMessage::Kind::ConnectAck;
      in.u8();
      message.code = in.u8();
      break;
    case 3: {
      message.kind = MqttMessage::Kind::Publish;
      message.topics.push_back(ascii_of(in.take(in.u16())));
      if ((head >> 1 & 3) != 0) in.u16();
      if (!in.ok() || !skip_properties(in, level_)) return false;
      message.payload = length - in.at();
      break;
    }
    case 8:
      message.kind = MqttMessage::Kind::Subscribe;
      in.u16();
      if (!skip_properties(in, level_)) return false;
      while (in.ok() && in.left() != 0) {
        const auto topic = in.take(in.u16());
        in.u8();
        if (message.topics.size() < kMostTopics) message.topics.push_back(ascii_of(topic));
      }
      break;
    case 0:
      return false;
    default:
      return true;
  }
  if (!in.ok() && length == body.size()) return false;
  message.seen = context_.seen(side, begin, end);
  if (message.kind == MqttMessage::Kind::Connect && (!message.user.empty() || message.has_password))
    context_.observations().add(Credential{message.seen, "mqtt", message.user, password});
  message.user = ascii_of(message.user);
  context_.observations().add(std::move(message));
  return true;
}

// 3.1
bool MqttStream::connect(Bytes body, MqttMessage& message, std::string& password) {
  Cursor in(body);
  const auto name = chars_of(in.take(in.u16()));
  message.level = in.u8() & 0x7f;
  const auto flags = in.u8();
  in.u16();
  if (!in.ok() || (name != "MQTT" && name != "MQIsdp") || !skip_properties(in, message.level)) return false;
  level_ = message.level;
  message.client = ascii_of(in.take(in.u16()));
  if ((flags & 4) != 0) {
    if (!skip_properties(in, message.level)) return false;
    message.will_topic = ascii_of(in.take(in.u16()));
    in.skip(in.u16());
  }
  if ((flags & 0x80) != 0) message.user = chars_of(in.take(in.u16()));
  message.has_password = (flags & 0x40) != 0;
  if (message.has_password) password = chars_of(in.take(in.u16()));
  return in.ok();
}

void MqttStream::gap(Side side) {
  auto& half = halves_[index_of(side)];
  half.lost = true;
  half.held.clear();
}

}  // namespace hilcop::analysis
