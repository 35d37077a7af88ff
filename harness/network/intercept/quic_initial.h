// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace hilcop {

inline constexpr std::uint32_t kQuic1 = 1, kQuic2 = 0x6b3343cf;

/// Where the parts of an Initial packet are in its datagram.
struct QuicInitial {
  std::uint32_t version = 0;
  bool known_version = false;  // the rest is for these alone
  std::span<const std::byte> destination;
  std::size_t number_at = 0, end = 0;  // of the packet number, and behind the packet
};

/// Nothing where the datagram does not begin with one. A version that is not known counts where all else is as RFC 8999 has it and the
/// datagram is as long as a client's first must be.
std::optional<QuicInitial> find_quic_initial(std::span<const std::byte> datagram);

/// What the client's CRYPTO frames of the packet say from offset 0 on, as far as it is there. Nothing where it does not decrypt.
std::optional<std::string> read_quic_initial(std::span<const std::byte> datagram, const QuicInitial& packet);

}  // namespace hilcop
