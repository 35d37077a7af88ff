// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hilcop {

/// What a client offers (RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6347 4.2.1). All of it is the client's word.
struct ClientHello {
  std::string server_name;                   // SNI in lower case, of letters a name may have; empty: none, or nonsense
  std::vector<std::string> alpn;             // "http/1.1"
  std::vector<std::uint16_t> versions;       // of supported_versions, else the one of the head; 0x0303 is TLS 1.2
  std::vector<std::uint16_t> cipher_suites;  // IANA's numbers
  bool lists_versions = false;               // the former
  bool asks_for_staple = false;              // status_request
  bool in_ssl2_form = false;                 // of old clients: no more of it is read than its version
};

/// The body of a ClientHello, behind its handshake header. Nothing where it makes no sense. Never reads past `body`.
std::optional<ClientHello> parse_client_hello(std::span<const std::byte> body, bool datagram = false);

/// "TLS 1.2", "DTLS 1.2", "0x7f17"; those of RFC 8701 (GREASE) are numbers.
std::string version_name(std::uint16_t version);

/// Puts a ClientHello together out of TLS records as they come, in pieces of any size. Keeps at most kMost bytes.
class ClientHelloReader {
 public:
  enum class State { Incomplete, Complete, NotTls, TooLong };
  static constexpr std::size_t kMost = 64 * 1024;

  State take(std::string_view bytes);
  /// All that was taken, for whoever goes on with it.
  const std::string& bytes() const { return bytes_; }
  const ClientHello& hello() const { return hello_; }

 private:
  State look();
  State end_of(std::optional<ClientHello> hello);

  std::string bytes_, message_;
  std::size_t next_record_ = 0;
  State state_ = State::Incomplete;
  ClientHello hello_;
};

}  // namespace hilcop
