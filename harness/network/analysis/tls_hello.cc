// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/tls_stream.h"

namespace hilcop::analysis {
namespace {

constexpr std::uint16_t kServerName = 0, kAlpn = 16, kSupportedVersions = 43;
constexpr std::size_t kMostNumbers = 1024, kMostNames = 64;

std::vector<std::uint16_t> numbers_of(Bytes bytes) {
  std::vector<std::uint16_t> numbers;
  for (Cursor in(bytes); in.left() >= 2 && numbers.size() < kMostNumbers;) numbers.push_back(in.u16());
  return numbers;
}

// RFC 7301 3.1
std::vector<std::string> protocols_of(Bytes extension) {
  std::vector<std::string> names;
  Cursor in(extension);
  in.u16();
  while (in.ok() && in.left() != 0 && names.size() < kMostNames) names.push_back(ascii_of(in.take(in.u8()), 255));
  return names;
}

// RFC 6066 3
std::string server_name_of(Bytes extension) {
  Cursor in(extension);
  in.u16();
  const auto type = in.u8();
  const auto name = in.take(in.u16());
  return in.ok() && type == 0 ? lower_case(ascii_of(name, 255)) : std::string();
}

template <class Each>
bool each_extension(Cursor& in, const Each& each) {
  if (in.left() == 0) return in.ok();
  Cursor extensions(in.take(in.u16()));
  while (in.ok() && extensions.ok() && extensions.left() != 0) {
    const auto type = extensions.u16();
    const auto value = extensions.take(extensions.u16());
    if (extensions.ok()) each(type, value);
  }
  return in.ok() && extensions.ok();
}

}  // namespace

std::optional<TlsClientHello> parse_client_hello(Bytes body) {
  Cursor in(body);
  TlsClientHello hello;
  hello.version = in.u16();
  in.skip(32);
  in.skip(in.u8());
  hello.ciphers = numbers_of(in.take(in.u16()));
  in.skip(in.u8());
  const bool good = each_extension(in, [&](std::uint16_t type, Bytes value) {
    if (type == kServerName) hello.sni = server_name_of(value);
    if (type == kAlpn) hello.alpn = protocols_of(value);
    if (type == kSupportedVersions && !value.empty()) hello.versions = numbers_of(value.subspan(1));
  });
  if (!good) return std::nullopt;
  return hello;
}

std::optional<TlsServerHello> parse_server_hello(Bytes body) {
  Cursor in(body);
  TlsServerHello hello;
  hello.version = in.u16();
  in.skip(32);
  in.skip(in.u8());
  hello.cipher = in.u16();
  in.u8();
  const bool good = each_extension(in, [&](std::uint16_t type, Bytes value) {
    if (type == kSupportedVersions && value.size() == 2) hello.version = Cursor(value).u16();
    if (type == kAlpn)
      if (const auto names = protocols_of(value); !names.empty()) hello.alpn = names[0];
  });
  if (!good) return std::nullopt;
  return hello;
}

bool is_tls(Bytes bytes) {
  Cursor in(bytes);
  const auto type = in.u8(), major = in.u8(), minor = in.u8();
  const auto length = in.u16();
  const auto message = in.u8();
  return in.ok() && type == 22 && major == 3 && minor <= 4 && length >= 4 && (message == 1 || message == 2);
}

}  // namespace hilcop::analysis
