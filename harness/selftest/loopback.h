// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "base/deadline.h"
#include "bench/selftest_record.h"
#include "io/byte_stream.h"

namespace hilcop {

/// Writes every byte value twice, in an order that `seed` gives, and looks whether the same comes back. `xon_xoff`: without the two bytes
/// that such a line keeps for itself. Blocks until all came or the deadline. Throws Error{Disconnected}, Interrupted.
SelftestItem check_loopback(const std::string& name, ByteStream& stream, bool xon_xoff, std::uint64_t seed, Deadline deadline);

}  // namespace hilcop
