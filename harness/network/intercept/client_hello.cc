// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/client_hello.h"

#include <fmt/format.h>

#include <algorithm>

#include "network/intercept/byte_cursor.h"

namespace hilcop {
namespace {

constexpr std::uint16_t kServerName = 0, kStatusRequest = 5, kAlpn = 16, kSupportedVersions = 43;

// It becomes a name in a certificate and a key of the plan: nothing but what a host name can have goes further.
std::string sound_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name.ends_with('.')) name.pop_back();
  const bool sound = name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
                     });
  return sound ? name : "";
}

bool read_extension(std::uint16_t type, ByteCursor body, ClientHello& hello) {
  if (type == kServerName) {
    for (ByteCursor list(body.field(2)); list.ok() && !list.rest().empty();) {
      const auto kind = list.u8();
      const auto name = text_of_bytes(list.field(2));
      if (kind == 0 && hello.server_name.empty()) hello.server_name = sound_name(name);
    }
  } else if (type == kStatusRequest) {
    hello.asks_for_staple = true;
    return true;
  } else if (type == kAlpn) {
    for (ByteCursor list(body.field(2)); list.ok() && !list.rest().empty();) hello.alpn.push_back(text_of_bytes(list.field(1)));
  } else if (type == kSupportedVersions) {
    hello.versions.clear();
    hello.lists_versions = true;
    for (ByteCursor list(body.field(1)); list.ok() && !list.rest().empty();) hello.versions.push_back(list.u16());
  }
  return body.ok();
}

}  // namespace

std::optional<ClientHello> parse_client_hello(std::span<const std::byte> bytes, bool datagram) {
  ByteCursor body(bytes);
  ClientHello hello;
  hello.versions = {body.u16()};
  body.take(32);  // random
  if (body.field(1).size() > 32) return std::nullopt;
  if (datagram) body.field(1);  // cookie
  for (ByteCursor suites(body.field(2)); !suites.rest().empty() && suites.ok();) hello.cipher_suites.push_back(suites.u16());
  body.field(1);  // compression
  if (!body.ok() || hello.versions[0] >> 8 != (datagram ? 0xfe : 0x03)) return std::nullopt;
  if (body.rest().empty()) return hello;  // TLS up to 1.2 may have no extensions
  for (ByteCursor extensions(body.field(2)); !extensions.rest().empty();) {
    const auto type = extensions.u16();
    const auto content = extensions.field(2);
    if (!extensions.ok() || !read_extension(type, ByteCursor(content), hello)) return std::nullopt;
  }
  return body.ok() ? std::optional(hello) : std::nullopt;
}

std::string version_name(std::uint16_t version) {
  switch (version) {
    case 0x0300:
      return "SSL 3.0";
    case 0x0301:
    case 0x0302:
    case 0x0303:
    case 0x0304:
      return fmt::format("TLS 1.{}", version - 0x0301);
    case 0xfeff:
      return "DTLS 1.0";
    case 0xfefd:
      return "DTLS 1.2";
    case 0xfefc:
      return "DTLS 1.3";
    default:
      return fmt::format("0x{:04x}", version);
  }
}

ClientHelloReader::State ClientHelloReader::take(std::string_view bytes) {
  if (state_ != State::Incomplete) return state_;
  bytes_ += bytes;
  state_ = look();
  if (state_ == State::Incomplete && bytes_.size() >= kMost) state_ = State::TooLong;
  return state_;
}

ClientHelloReader::State ClientHelloReader::end_of(std::optional<ClientHello> hello) {
  if (!hello) return State::NotTls;
  hello_ = std::move(*hello);
  return State::Complete;
}

ClientHelloReader::State ClientHelloReader::look() {
  const auto all = std::as_bytes(std::span(bytes_));
  const auto at = [&](std::size_t index) { return index < all.size() ? static_cast<int>(all[index]) : -1; };
  // RFC 5246 E.2: two bytes of length with the first bit set, a type of 1, the version.
  if (next_record_ == 0 && at(0) >= 0x80) {
    if (all.size() >= 3 && at(2) != 1) return State::NotTls;
    if (all.size() >= 4 && at(3) != 3) return State::NotTls;
    const std::size_t length = all.size() >= 2 ? static_cast<std::size_t>((at(0) & 0x7f) << 8 | at(1)) : 0;
    if (all.size() < 5 || all.size() < length + 2) return State::Incomplete;
    ClientHello hello;
    hello.in_ssl2_form = true;
    hello.versions = {static_cast<std::uint16_t>(at(3) << 8 | at(4))};
    return end_of(std::move(hello));
  }
  while (true) {
    const auto record = all.subspan(next_record_);
    // A handshake record (22) of version 3.x, no longer than a record may be.
    if (!record.empty() && static_cast<int>(record[0]) != 22) return State::NotTls;
    if (record.size() >= 2 && static_cast<int>(record[1]) != 3) return State::NotTls;
    if (record.size() < 5) return State::Incomplete;
    ByteCursor head(record.subspan(3));
    const auto length = head.u16();
    if (length > 16384) return State::NotTls;
    const auto fragment = head.take(length);
    if (!head.ok()) return State::Incomplete;
    message_ += text_of_bytes(fragment);
    next_record_ += 5u + length;
    ByteCursor message(std::as_bytes(std::span(message_)));
    if (!message_.empty() && message.u8() != 1) return State::NotTls;
    if (message_.size() < 4) continue;
    const auto size = message.number(3);
    if (size > kMost) return State::TooLong;
    const auto body = message.take(size);
    if (message.ok()) return end_of(parse_client_hello(body));
  }
}

}  // namespace hilcop
