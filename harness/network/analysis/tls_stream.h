// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/analysis/certificate.h"
#include "network/analysis/stream_dissector.h"

namespace hilcop::analysis {

/// RFC 8446 4.1.2, RFC 5246 7.4.1.2. Numbers as IANA has them, GREASE (RFC 8701) too.
struct TlsClientHello {
  Seen seen;
  std::uint16_t version = 0;            // the legacy field
  std::vector<std::uint16_t> versions;  // supported_versions; empty: none
  std::vector<std::uint16_t> ciphers;
  std::string sni;                // printable
  std::vector<std::string> alpn;  // offered; printable
};
struct TlsServerHello {
  Seen seen;
  std::uint16_t version = 0;  // what was chosen: 0x0304 for TLS 1.3
  std::uint16_t cipher = 0;
  std::string alpn;  // chosen in the plain, up to TLS 1.2
};
/// As sent up to TLS 1.2; those of TLS 1.3 are encrypted.
struct TlsCertificates {
  Seen seen;
  std::vector<CertificateFacts> chain;  // the first is the end's own
};
struct TlsAlert {
  Seen seen;
  std::uint8_t level = 0, description = 0;  // in the plain
};

std::optional<TlsClientHello> parse_client_hello(Bytes body);
std::optional<TlsServerHello> parse_server_hello(Bytes body);

/// Reads records of TLS; what is encrypted is counted to the context as opaque.
class TlsStream final : public StreamDissector {
 public:
  explicit TlsStream(StreamContext& context) : context_(context) {}
  void data(Side side, Bytes bytes, std::uint64_t offset) override;
  void gap(Side side) override;

 private:
  struct Half {
    std::string head, record;  // the record that comes: 5 bytes, then its body where that is kept
    std::uint64_t record_begin = 0, handshake_begin = 0;
    std::size_t left = 0;   // of the record's body
    std::string handshake;  // messages that are not whole
    bool encrypted = false, lost = false;
  };
  void record(Half& half, Side side, std::uint64_t end);
  void handshake(Half& half, Side side, std::uint64_t end);
  void message(Side side, std::uint8_t type, Bytes body, std::uint64_t begin, std::uint64_t end);
  void certificates(Side side, Bytes body, std::uint64_t begin, std::uint64_t end);
  StreamContext& context_;
  Half halves_[2];
};

/// Whether a handshake record stands at the begin.
bool is_tls(Bytes bytes);

}  // namespace hilcop::analysis
