// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>

#include "network/intercept/intercept_plan.h"

namespace hilcop {

/// The address that the other side of an accepted TCP connection aimed at before a rule of the kernel sent it here (SO_ORIGINAL_DST);
/// without such a rule its own local address. Nothing where the socket has none.
std::optional<TcpAddress> original_destination(int fd);

/// How many of the bytes sent on it the other side has acknowledged (tcpi_bytes_acked).
std::optional<std::uint64_t> acknowledged_bytes(int fd);

}  // namespace hilcop
