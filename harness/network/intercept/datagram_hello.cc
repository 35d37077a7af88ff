// SPDX-License-Identifier: Apache-2.0
#include "network/intercept/datagram_hello.h"

#include <fmt/format.h>

#include "network/intercept/byte_cursor.h"
#include "network/intercept/quic_initial.h"

namespace hilcop {
namespace {

const char* const kGoesOn = "its ClientHello goes on in other datagrams";

std::optional<DatagramHello> parse_dtls(ByteCursor datagram) {
  DatagramHello found;
  found.kind = DatagramHello::Kind::Dtls;
  if (datagram.u8() != 22) return std::nullopt;
  const auto version = datagram.u16();
  if (version != 0xfeff && version != 0xfefd) return std::nullopt;
  if (datagram.u16() != 0) return std::nullopt;  // an epoch whose records are encrypted
  datagram.take(6);                              // sequence number
  ByteCursor record(datagram.field(2));
  const auto type = record.u8();
  const auto length = record.number(3);
  record.u16();  // message sequence
  const auto offset = record.number(3);
  const auto body = record.field(3);
  if (!datagram.ok() || !record.ok() || type != 1) return std::nullopt;
  found.version = version;
  if (offset != 0 || body.size() != length) {
    found.unread = kGoesOn;
  } else {
    found.hello = parse_client_hello(body, true);
    if (!found.hello) return std::nullopt;
    // The version of the record is the lowest; the hello says the highest.
    found.version = found.hello->versions.empty() ? version : found.hello->versions.front();
  }
  found.version_text = version_name(static_cast<std::uint16_t>(found.version));
  return found;
}

std::string quic_version_name(std::uint32_t version) {
  if (version == kQuic1) return "QUIC v1";
  if (version == kQuic2) return "QUIC v2";
  return fmt::format("QUIC version 0x{:08x}", version);
}

std::optional<DatagramHello> parse_quic(std::span<const std::byte> datagram) {
  const auto packet = find_quic_initial(datagram);
  if (!packet) return std::nullopt;
  DatagramHello found;
  found.kind = DatagramHello::Kind::Quic;
  found.version = packet->version;
  found.version_text = quic_version_name(packet->version);
  if (!packet->known_version) return found.unread = "encrypted, in a version whose keys are not known here", found;
  const auto message = read_quic_initial(datagram, *packet);
  if (!message) return found.unread = "encrypted: it does not open with the keys of its version", found;
  ByteCursor handshake(std::as_bytes(std::span(*message)));
  const auto type = handshake.u8();
  const auto body = handshake.field(3);
  if (!handshake.ok()) return found.unread = kGoesOn, found;
  if (type == 1) found.hello = parse_client_hello(body);
  if (!found.hello) found.unread = "what it holds is no ClientHello";
  return found;
}

}  // namespace

std::optional<DatagramHello> parse_datagram_hello(std::span<const std::byte> datagram) {
  if (auto found = parse_dtls(ByteCursor(datagram))) return found;
  return parse_quic(datagram);
}

}  // namespace hilcop
