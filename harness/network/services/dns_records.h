// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "network/services/dns_message.h"
#include "network/services/endpoint.h"

namespace hilcop::services {

/// Records of class IN; times to live are in seconds.
DnsRecord address_record(const DnsName& name, std::uint32_t ttl, const IpAddress& address);               // A or AAAA
DnsRecord name_record(const DnsName& name, DnsType type, std::uint32_t ttl, const DnsName& target);       // CNAME, PTR, NS
DnsRecord txt_record(const DnsName& name, std::uint32_t ttl, std::string_view text);                      // in strings of at most 255 bytes
DnsRecord srv_record(const DnsName& name, std::uint32_t ttl, const DnsName& target, std::uint16_t port);  // RFC 2782
/// RFC 9460: of this very name where the target is the root, with the protocols of ALPN ("h2", "http/1.1").
DnsRecord https_record(const DnsName& name, std::uint32_t ttl, const DnsName& target, const std::vector<std::string>& alpn);
/// For answers that say "there is none": who asked may remember that for `ttl` (RFC 2308 5).
DnsRecord soa_record(const DnsName& zone, std::uint32_t ttl);

/// "A 198.18.0.1", "CNAME other.example"; data that is not known here as at most 32 bytes in hexadecimal.
std::string to_text(const DnsRecord& record);

/// What a name under in-addr.arpa or ip6.arpa is the reverse of; nothing for any other.
std::optional<IpAddress> reverse_address(const DnsName& name);
DnsName reverse_name(const IpAddress& address);

}  // namespace hilcop::services
