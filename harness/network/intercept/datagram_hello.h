// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "network/intercept/client_hello.h"

namespace hilcop {

/// What a UDP datagram of a client begins: TLS over datagrams (RFC 6347), or QUIC (RFC 9000, 9369).
struct DatagramHello {
  enum class Kind { Dtls, Quic };
  Kind kind{};
  std::uint32_t version = 0;         // as it stands there: 0xfefd, 1
  std::string version_text;          // "DTLS 1.2", "QUIC v1"
  std::optional<ClientHello> hello;  // where all of it is in this datagram and can be read
  std::string unread;                // why it could not: "its ClientHello goes on in other datagrams"
};

/// Nothing where the datagram begins neither. A QUIC Initial is decrypted, as everybody on its way can (RFC 9001 5.2). The first packet of
/// the datagram is looked at alone. Whatever is in it: it ends, and reads nothing beyond.
std::optional<DatagramHello> parse_datagram_hello(std::span<const std::byte> datagram);

}  // namespace hilcop
