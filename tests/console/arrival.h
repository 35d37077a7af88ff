// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "fakes/slow_stream.h"
#include "io/faulty_stream.h"

namespace hilcop {

/// How the bytes come: at most so many a read, and with stalls of the line at seeded places (io/faulty_stream.h).
struct Arrival {
  std::size_t most = 65536;
  std::uint64_t stall_every = 0;
};
inline constexpr Arrival kArrivals[] = {{1}, {7}, {65536}, {65536, 25}, {1, 25}};
inline std::string name_of(const Arrival& arrival) {
  return "AtMost" + std::to_string(arrival.most) + "Bytes" + (arrival.stall_every != 0 ? "AndStalls" : "");
}
inline std::string name_of_arrival(const testing::TestParamInfo<Arrival>& param) { return name_of(param.param); }
inline void PrintTo(const Arrival& arrival, std::ostream* out) { *out << name_of(arrival); }  // NOLINT: googletest's name

inline std::shared_ptr<LineFaultState> stalls_of(const Arrival& arrival) {
  return std::make_shared<LineFaultState>(LineFaults{.seed = 5, .stall_every = arrival.stall_every, .stall = 2ms}, nullptr);
}

inline std::unique_ptr<ByteStream> arriving(std::unique_ptr<ByteStream> stream, const Arrival& arrival,
                                            const std::shared_ptr<LineFaultState>& stalls) {
  if (arrival.stall_every != 0) stream = make_faulty_stream(std::move(stream), stalls);
  return std::make_unique<SlowStream>(std::move(stream), arrival.most);
}

}  // namespace hilcop
