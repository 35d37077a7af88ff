// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/upper_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace hilcop {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

// "POST /v1/telemetry HTTP/1.1"
bool is_request_line(std::string_view line) {
  const auto space = line.find(' ');
  const auto method = line.substr(0, space);
  return space != std::string_view::npos && space > 0 && line.substr(0, line.size() - 1).ends_with(" HTTP/1.") &&
         std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// The path of "GET http://host/a.crl?b HTTP/1.1", as it stands there; empty: there is none ("*").
std::string_view path_of(std::string_view line) {
  const auto begin = std::min(line.find(' ') + 1, line.size());
  auto target = line.substr(begin, std::max(line.rfind(' '), begin) - begin);
  if (const auto scheme = target.find("://"); scheme != std::string_view::npos && target.find('/') > scheme)
    target.remove_prefix(scheme + 3);
  target = target.substr(std::min(target.find('/'), target.size()));
  return target.substr(0, target.find('?'));
}

std::string_view header_value(std::string_view head, std::string_view name) {
  const auto at = head.find("\r\n" + std::string(name) + ":");
  if (at == std::string_view::npos) return {};
  auto value = head.substr(at + 2 + name.size() + 1);
  value = value.substr(0, value.find("\r\n"));
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

// Method names are of one letter case, and short: more is nobody's.
bool may_be_http(std::string_view bytes) {
  const auto word = bytes.substr(0, std::min<std::size_t>(bytes.find(' '), 16));
  return word.size() < 16 && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace

std::string UpperProtocol::answer(std::string_view bytes) {
  if (kind_ == Kind::Other) return "";
  heard_ += bytes;
  std::string out;
  while (!heard_.empty() && step(out)) {
  }
  return out;
}

bool UpperProtocol::step(std::string& out) {
  switch (kind_) {
    case Kind::Unknown:
      if (heard_[0] == 0x10)
        kind_ = Kind::Mqtt;  // CONNECT
      else if (may_be_http(heard_))
        kind_ = Kind::HttpHead;
      else
        kind_ = Kind::Other;
      return true;
    case Kind::HttpHead:
      return http_head(out);
    case Kind::HttpBody: {
      const auto taken = std::min<std::uint64_t>(body_left_, heard_.size());
      heard_.erase(0, static_cast<std::size_t>(taken));
      body_left_ -= taken;
      if (body_left_ > 0) return false;
      out += http_answer();
      return true;
    }
    case Kind::HttpChunks: {
      // The last chunk and no trailers; of a body that has this text in it too early: the client is answered early.
      const auto end = heard_.starts_with("0\r\n\r\n") ? 0 : heard_.find("\r\n0\r\n\r\n");
      if (end == std::string::npos) return false;
      heard_.erase(0, end + (end == 0 ? 5 : 7));
      out += http_answer();
      return true;
    }
    case Kind::Mqtt:
      return mqtt_packet(out);
    case Kind::Other:
      break;
  }
  heard_.clear();
  return false;
}

bool UpperProtocol::http_head(std::string& out) {
  const auto line = heard_.find("\r\n");
  if (line == std::string::npos ? !may_be_http(heard_) : !is_request_line(std::string_view(heard_).substr(0, line))) {
    kind_ = Kind::Other;
    return true;
  }
  const auto end = heard_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  const auto head = lower_case(std::string_view(heard_).substr(0, end + 2));
  method_ = heard_.substr(0, heard_.find(' '));
  path_ = path_of(std::string_view(heard_).substr(0, line));
  heard_.erase(0, end + 4);
  const auto length = header_value(head, "content-length");
  body_left_ = 0;
  std::from_chars(length.data(), length.data() + length.size(), body_left_);
  const bool chunked = header_value(head, "transfer-encoding").find("chunked") != std::string_view::npos;
  if (header_value(head, "expect") == "100-continue") out += "HTTP/1.1 100 Continue\r\n\r\n";
  if (chunked) return kind_ = Kind::HttpChunks, true;
  if (body_left_ > 0) return kind_ = Kind::HttpBody, true;
  out += http_answer();
  return true;
}

std::string UpperProtocol::http_answer() {
  kind_ = Kind::HttpHead;
  const auto answer = answer_to_ ? answer_to_(method_, path_) : std::nullopt;
  if (answer && answer->status != 204 && answer->status != 304)
    return fmt::format("HTTP/1.1 {} Bench\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer->status,
                       answer->content_type, answer->body.size()) +
           (method_ == "HEAD" ? "" : answer->body);
  // 1xx, 204 and 304 have no Content-Length (RFC 9110 8.6); the rest says that nothing follows.
  const int status = answer ? answer->status : http_status_;
  const bool bare = status < 200 || status == 204 || status == 304;
  return fmt::format("HTTP/1.1 {} Bench\r\n{}Connection: close\r\n\r\n", status, bare ? "" : "Content-Length: 0\r\n");
}

bool UpperProtocol::mqtt_packet(std::string& out) {
  // MQTT 3.1.1, 2.2: type and flags, then the length of the rest, seven bits a byte, four bytes at most.
  const auto at = [this](std::size_t index) { return static_cast<unsigned char>(heard_[index]); };
  std::size_t length = 0, head = 1;
  for (unsigned shift = 0;; shift += 7, ++head) {
    if (shift > 21) return kind_ = Kind::Other, true;
    if (head >= heard_.size()) return false;
    length |= static_cast<std::size_t>(at(head) & 0x7f) << shift;
    if ((at(head) & 0x80) == 0) break;
  }
  ++head;
  if (heard_.size() < head + length) return false;
  const auto type = at(0) >> 4, quality = (at(0) >> 1) & 3;
  const auto packet = heard_.substr(head, length);
  heard_.erase(0, head + length);
  const auto number = [&](std::size_t from) { return packet.size() >= from + 2 ? packet.substr(from, 2) : std::string(2, '\0'); };
  const std::string reason = mqtt5_ ? std::string(1, '\0') : "";  // an empty set of properties
  const auto say = [&](char kind, const std::string& rest) { out += kind, out += static_cast<char>(rest.size()), out += rest; };
  switch (type) {
    case 1: {  // CONNECT: its level stands behind the protocol's name
      const std::size_t name = packet.size() >= 2 ? static_cast<std::size_t>(static_cast<unsigned char>(packet[1])) : 0;
      mqtt5_ = packet.size() > name + 2 && packet[name + 2] == 5;
      say(0x20, mqtt5_ ? std::string(3, '\0') : std::string(2, '\0'));
      break;
    }
    case 3: {  // PUBLISH: its number stands behind the topic
      const std::size_t topic =
          packet.size() >= 2 ? static_cast<std::size_t>(static_cast<unsigned char>(packet[0]) << 8 | static_cast<unsigned char>(packet[1]))
                             : 0;
      if (quality == 1) say(0x40, number(topic + 2));
      if (quality == 2) say(0x50, number(topic + 2));
      break;
    }
    case 6:
      say(0x70, number(0));
      break;
    case 8:  // SUBSCRIBE: one topic is granted, at quality 0
      say(static_cast<char>(0x90), number(0) + reason + std::string(1, '\0'));
      break;
    case 10:
      say(static_cast<char>(0xb0), number(0) + (mqtt5_ ? std::string(2, '\0') : ""));
      break;
    case 12:
      say(static_cast<char>(0xd0), "");
      break;
    default:
      break;
  }
  return true;
}

}  // namespace hilcop
