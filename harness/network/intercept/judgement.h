// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "network/intercept/intercepted_connection.h"

namespace hilcop {

/// How a connection ended: by the client, by what TLS does not allow, or by the bench.
enum class ConnectionEnd { Alert, CloseNotify, Close, Reset, NoAgreement, Broken, Deadline, Bench };

/// Gives the connection its outcome, and the cause for people; `detail`: what is known beside. In doubt it is NotJudged. Without a CA that
/// the device trusts, a refusal that could be for the CA is none of an old version or a weak cipher.
void judge(InterceptedConnection& connection, ConnectionEnd end, bool trusted_ca, const std::string& detail);

}  // namespace hilcop
