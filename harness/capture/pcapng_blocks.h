// SPDX-License-Identifier: Apache-2.0
// The numbers of draft-ietf-opsawg-pcapng that are written and read.
#pragma once
#include <cstdint>

namespace hilcop::pcapng {

inline constexpr std::uint32_t kSection = 0x0A0D0D0A, kInterface = 1, kObsoletePacket = 2, kSimplePacket = 3, kNames = 4, kStatistics = 5,
                               kPacket = 6, kSecrets = 10;
inline constexpr std::uint32_t kByteOrder = 0x1A2B3C4D, kTlsKeyLog = 0x544c534b;
inline constexpr std::uint16_t kOptionsEnd = 0, kComment = 1;
// Options by their block.
inline constexpr std::uint16_t kSectionProgram = 4, kInterfaceName = 2, kInterfaceResolution = 9, kInterfaceOffset = 14,
                               kStatisticsReceived = 4, kStatisticsDropped = 5;

}  // namespace hilcop::pcapng
