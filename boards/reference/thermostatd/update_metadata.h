// SPDX-License-Identifier: Apache-2.0
// What the maker says of an update, and whether this device believes it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "flaws.h"
#include "version.h"

namespace ht1 {

struct UpdateMetadata {
  std::string model, version, min_version, sha256, url, notes;
  std::uint64_t size = 0;
  bool security = false;
  std::int64_t expires = 0;            // seconds since 1970
  std::optional<std::uint32_t> crc32;  // only a unit with a flaw looks at it
};

// "2026-11-28T05:31:04Z"
std::optional<std::int64_t> seconds_of(const std::string& moment);

// The signature is checked before the text is looked at. Failure says what is wrong with it.
UpdateMetadata read_metadata(const std::string& reply, const std::string& public_key, const Flaws& flaws);

struct Running {
  std::string model, version, min_version;
  std::int64_t now = 0;
};
// True: newer than what runs. False: nothing new. Failure: it is not for this device, is too old, or has expired.
bool is_update(const UpdateMetadata& offered, const Running& running, const Flaws& flaws);

}  // namespace ht1
