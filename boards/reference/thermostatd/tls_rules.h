// SPDX-License-Identifier: Apache-2.0
// Whom the device trusts on the network: only the maker's authority, only the name that was asked for, only while the certificate lives.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "unit.h"

namespace ht1 {

// TLS 1.2 and newer, ca.crt, and (with a name) that name.
void set_tls_rules(SSL_CTX* context, const Unit& unit, const std::string& name);
// Of TLS 1.2 only ephemeral keys and authenticated ciphers (RFC 9325 4.2); those of TLS 1.3 are all so.
void require_forward_secrecy(SSL_CTX* context);
// The part that a unit with a flaw does differently.
void loosen_by_flaws(SSL_CTX* context, const Flaws& flaws);

}  // namespace ht1
