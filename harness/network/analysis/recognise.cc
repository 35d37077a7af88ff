// SPDX-License-Identifier: Apache-2.0
#include "network/analysis/recognise.h"

#include "network/analysis/dns.h"
#include "network/analysis/mqtt.h"
#include "network/analysis/telnet_stream.h"
#include "network/analysis/tls_stream.h"

namespace hilcop::analysis {
namespace {

// A word and a space, and a version of that protocol at the end of the line.
std::string_view request_line_of(std::string_view text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  if (end == std::string_view::npos) return {};
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto word = line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
  if (word == std::string_view::npos || word < 3 || word > 20 || line[word] != ' ') return {};
  const auto version = line.rfind(' ');
  const auto protocol = line.substr(version + 1);
  if (protocol.starts_with("HTTP/1.")) return "http";
  if (protocol == "HTTP/2.0") return "http2";
  if (protocol.starts_with("RTSP/")) return "rtsp";
  return {};
}

bool has_line(std::string_view text, std::initializer_list<std::string_view> verbs) {
  const auto upper_begin = lower_case(text.substr(0, 16));
  for (const auto verb : verbs)
    if (upper_begin.starts_with(verb)) return true;
  return false;
}

// A framed message that is one (RFC 7766 8).
bool is_framed_dns(Bytes bytes) {
  Cursor in(bytes);
  const std::size_t size = in.u16();
  const auto message = in.take(size);
  return in.ok() && looks_like_dns(message);
}

bool asks_for_login(std::string_view said) {
  const auto text = lower_case(said);
  return text.find("login:") != std::string::npos || text.find("username:") != std::string::npos;
}

}  // namespace

Recognised recognise_stream(Bytes client, Bytes server, std::uint16_t server_port) {
  const auto asked = chars_of(client), said = chars_of(server);
  if (is_tls(client) || is_tls(server)) return {"tls"};
  if (const auto http = request_line_of(asked); !http.empty()) return {http};
  if (said.starts_with("HTTP/1.")) return {"http"};
  if (said.starts_with("RTSP/1.")) return {"rtsp"};
  if (is_mqtt(client)) return {"mqtt"};
  if (asked.starts_with("SSH-") || said.starts_with("SSH-")) return {"ssh"};
  if (is_telnet(client) || is_telnet(server)) return {"telnet"};
  const bool reply = said.size() > 3 && said.find_first_not_of("0123456789") == 3;
  if (reply && has_line(asked, {"ehlo", "helo"})) return {"smtp"};
  if ((reply || said.empty()) && has_line(asked, {"user ", "auth tls", "auth ssl", "feat\r", "syst\r"})) return {"ftp"};
  if (said.starts_with("+OK")) return {"pop3"};
  if (said.starts_with("* OK")) return {"imap"};
  if (is_framed_dns(client) || is_framed_dns(server)) return {"dns"};
  if (asks_for_login(said)) return {"telnet", server_port != 23};
  if (server_port == 23 && said.size() + asked.size() > 64) return {"telnet", false};
  return {};
}

std::string_view recognise_encrypted(Bytes datagram) {
  Cursor in(datagram);
  const auto first = in.u8();
  const auto second = in.u16();
  // RFC 9147, RFC 6347: a record's type, and a version of DTLS.
  if (in.ok() && first >= 20 && first <= 26 && (second == 0xfeff || second == 0xfefd || second == 0xfefc)) return "dtls";
  // RFC 9000 17.2, RFC 9369: a long header with the fixed bit, and a version that is known.
  Cursor quic(datagram);
  const auto head = quic.u8();
  const auto version = quic.u32();
  if (quic.ok() && (head & 0xc0) == 0xc0 && (version == 1 || version == 0x6b3343cf || version >> 8 == 0xff0000)) return "quic";
  return {};
}

}  // namespace hilcop::analysis
