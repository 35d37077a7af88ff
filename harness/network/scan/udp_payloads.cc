// SPDX-License-Identifier: Apache-2.0
#include "network/scan/udp_payloads.h"

#include <string_view>

namespace hilcop {

namespace {

using namespace std::string_literals;

// RFC 1035: version.bind, TXT, CHAOS. What does not tell its version refuses, which is an answer too.
const auto kDns =
    "\x68\x63\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04"
    "bind\x00\x00\x10\x00\x03"s;
// RFC 6763 9: which services are there; an answer to whoever asks (QU, RFC 6762 5.4).
const auto kMdns = "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_services\x07_dns-sd\x04_udp\x05local\x00\x00\x0c\x80\x01"s;
// RFC 4795: A of the name "hilcop".
const auto kLlmnr = "\x68\x63\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06hilcop\x00\x00\x01\x00\x01"s;
// RFC 5905: version 4, client; the transmit timestamp comes back as the origin's.
const auto kNtp = "\x23"s + std::string(39, '\0') + "\x68\x69\x6c\x63\x6f\x70\x00\x01"s;
// RFC 3416: GET sysDescr.0 of community "public", version 2c.
const auto kSnmp =
    "\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01"
    "\x01\x01\x00\x05\x00"s;
// RFC 3414 4: discovery of the engine, which needs no user.
const auto kSnmpV3 =
    "\x30\x3a\x02\x01\x03\x30\x0f\x02\x02\x4a\x69\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01\x03\x04\x10\x30\x0e\x04\x00\x02\x01\x00"
    "\x02\x01\x00\x04\x00\x04\x00\x04\x00\x30\x12\x04\x00\x04\x00\xa0\x0c\x02\x02\x37\xf0\x02\x01\x00\x02\x01\x00\x30\x00"s;
// UPnP Device Architecture 2.0, 1.3.2: a search to one device.
const auto kSsdp = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"s;
// RFC 6690 4: GET /.well-known/core, confirmable.
const auto kCoap =
    "\x40\x01\x68\x63\xbb.well-known\x04"
    "core"s;
// RFC 1350: a file that nobody has; the error is the answer.
const auto kTftp = "\x00\x01hilcop-probe\x00octet\x00"s;
// RFC 1002 4.2.17: node status of "*".
const auto kNetbios =
    "\x68\x63\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x20"
    "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\x00\x00\x21\x00\x01"s;
// RFC 5531 and 1833: the null procedure of the port mapper, version 2.
const auto kPortmap =
    "\x68\x69\x6c\x63\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa0\x00\x00\x00\x02\x00\x00\x00\x00"s + std::string(16, '\0');
// RFC 3261 11: OPTIONS.
const auto kSip =
    "OPTIONS sip:probe@device SIP/2.0\r\nVia: SIP/2.0/UDP bench;branch=z9hG4bKhilcop;rport\r\nFrom: <sip:probe@bench>;tag=1\r\n"
    "To: <sip:probe@device>\r\nCall-ID: hilcop@bench\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"s;
// RFC 8489 6: a binding request without attributes.
const auto kStun = "\x00\x01\x00\x00\x21\x12\xa4\x42hilcop-probe"s;
// ASF 2.0, 3.2.4.2: presence ping over RMCP.
const auto kIpmi = "\x06\x00\xff\x06\x00\x00\x11\xbe\x80\x00\x00\x00"s;
// ANSI/ASHRAE 135, annex J and 16.10: Who-Is to whoever reads it.
const auto kBacnet = "\x81\x0a\x00\x08\x01\x00\x10\x08"s;
// memcached's protocol: its UDP header, then a command.
const auto kMemcached = "\x68\x63\x00\x00\x00\x01\x00\x00version\r\n"s;
// RFC 9000 6 and 15: a version that is reserved to be unknown, so that the server says which it has; 1200 bytes, as RFC 9000 14.1 asks, in
// the form of an Initial without a token.
const auto kQuicHead = "\xc0\x1a\x2a\x3a\x4a\x08hilcopqv\x08hilcopqs\x00\x44\x96"s;
const auto kQuic = kQuicHead + std::string(1200 - kQuicHead.size(), '\x68');
// RFC 6347: a hello of DTLS 1.2 with two suites of each kind of key (AES-GCM with ECDHE, and CCM_8 with a shared key) and curve P-256; a
// server asks for its cookie, or alerts.
const auto kDtlsBody = "\xfe\xfd"s + std::string(32, '\x68') + "\x00\x00\x00\x08\xc0\x2b\xc0\x2f\xc0\xa8\xc0\xae\x01\x00\x00\x18"s +
                       "\x00\x0a\x00\x04\x00\x02\x00\x17\x00\x0b\x00\x02\x01\x00\x00\x0d\x00\x06\x00\x04\x04\x03\x04\x01"s;
std::string dtls_hello() {
  const auto size = static_cast<char>(kDtlsBody.size());
  const auto handshake = "\x01\x00\x00"s + size + "\x00\x00\x00\x00\x00\x00\x00"s + size + kDtlsBody;
  return "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00"s + static_cast<char>(handshake.size()) + handshake;
}

}  // namespace

const std::vector<UdpPayload>& udp_payloads() {
  static const std::vector<UdpPayload> all{
      {"echo", 7, "hilcop"},
      {"dns", 53, kDns},
      {"tftp", 69, kTftp},
      {"rpcbind", 111, kPortmap},
      {"ntp", 123, kNtp},
      {"netbios", 137, kNetbios},
      {"snmp", 161, kSnmp},
      {"snmpv3", 161, kSnmpV3},
      {"quic", 443, kQuic},
      {"rmcp", 623, kIpmi},
      {"ssdp", 1900, kSsdp},
      {"stun", 3478, kStun},
      {"sip", 5060, kSip},
      {"mdns", 5353, kMdns},
      {"llmnr", 5355, kLlmnr},
      {"coap", 5683, kCoap},
      {"coaps", 5684, dtls_hello()},
      {"dtls", 443, dtls_hello()},
      {"memcached", 11211, kMemcached},
      {"bacnet", 47808, kBacnet},
  };
  return all;
}

}  // namespace hilcop
