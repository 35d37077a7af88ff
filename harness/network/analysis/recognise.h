// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "network/analysis/bytes.h"

namespace hilcop::analysis {

/// What a TCP connection speaks, by the first bytes of both sides: "tls", "http", "http2", "rtsp", "mqtt", "telnet", "ftp", "smtp", "pop3",
/// "imap", "ssh", "dns". Empty: not known yet; kMostToRecognise bytes of a side are asked for at most.
struct Recognised {
  std::string_view application;
  bool by_content = true;  // else the port says so, and the bytes do not speak against it
};
inline constexpr std::size_t kMostToRecognise = 2048;
Recognised recognise_stream(Bytes client, Bytes server, std::uint16_t server_port);

/// A datagram that nobody can read: "quic", "dtls"; empty: neither.
std::string_view recognise_encrypted(Bytes datagram);

}  // namespace hilcop::analysis
