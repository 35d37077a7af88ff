// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "bench/bench.h"

namespace hilcop {

struct FlashProgress {
  std::string phase;        // "unpack", "write", "verify", "load", "read"
  std::uint64_t done = 0;   // bytes
  std::uint64_t total = 0;  // 0: not known
};

struct FlashRequest {
  std::string part;                    // of the board's flash: or dump:; empty: the first
  std::filesystem::path file;          // the image, empty: the board's; of a dump: where to, replaced only by a whole one
  std::optional<Nanoseconds> timeout;  // empty: the part's
  std::function<void(const FlashProgress&)> progress;
};

struct FlashResult {
  std::string part, route;
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  std::string sha256;          // of the image, unpacked where the route unpacks it; of the dump
  std::string verified_by;     // "read back, SHA-256"; empty: it was not verified, because of
  std::string unverified_why;  // "fastboot cannot read back"
  Nanoseconds elapsed{};
};

/// Writes an image to a DUT by the route that its board file says, and verifies it. Events flash.begin, flash.program, flash.end. Throws
/// Error (also when what is read back differs), Interrupted. A DUT that was half written stays so.
FlashResult flash(Dut& dut, const FlashRequest& request);
/// Reads a part of a DUT into a file, which holds all of it or is not touched.
FlashResult dump(Dut& dut, const FlashRequest& request);

nlohmann::json to_json(const FlashResult& result);

}  // namespace hilcop
